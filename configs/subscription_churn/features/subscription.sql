-- What the user pays, for how long, and where in the planned price rise the user stands.
with current as (
    select user_token, subscription_token, started_at, price_eur
    from subscriptions
    where plan = 'monthly' and status = 'active'
    qualify row_number() over (partition by user_token order by started_at desc, changed_at desc, price_eur) = 1
),
paid as (  -- since when the monthly plan, and since when today's price
    select
        v.user_token,
        min(v.changed_at) filter (where v.plan = 'monthly') as monthly_since,
        max(v.changed_at) filter (where v.plan = 'monthly' and v.price_eur < c.price_eur) as cheaper_until,
        min(v.changed_at) filter (where v.plan = 'monthly' and v.price_eur = c.price_eur) as price_since
    from subscriptions_versions as v
    join current as c using (subscription_token)
    group by v.user_token
),
before as (
    select user_token, count(*) as subscriptions
    from subscriptions
    where status = 'cancelled'
    group by user_token
),
notices as (
    select user_token, max(sent_at) as sent_at
    from emails_sent
    where kind = 'price_notice' and sent_at >= $scoring_at - interval 42 days
    group by user_token
),
facts as (
    select
        user_token,
        least(date_diff('day', monthly_since, $scoring_at), 400) as paid_days,
        case when cheaper_until is not null and price_since >= $scoring_at - interval 98 days
            then date_diff('day', price_since, $scoring_at) end as days_since_price_rise,
        sent_at is not null and cheaper_until is null as price_rise_announced,
        least(coalesce(subscriptions, 0), 5) as cancelled_before
    from current
    join paid using (user_token)
    left join before using (user_token)
    left join notices using (user_token)
)
select
    *,
    month($scoring_at) = 1 or (month($scoring_at) = 12 and day($scoring_at) >= 8) as is_year_end,
    if(is_year_end, 'end of year', 'rest of year') as season,
    case
        when days_since_price_rise <= 56 then 'raised'
        when price_rise_announced then 'announced'
        else 'none'
    end as price_phase,
    case when paid_days < 56 then 'up to 8 weeks' when paid_days < 364 then 'up to a year' else 'longer' end as tenure
from facts
