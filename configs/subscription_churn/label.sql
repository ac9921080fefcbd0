-- 1: a monthly subscription is cancelled within the horizon, and not by mistake. Null: nobody can tell yet.
with ended as (  -- of several records of a subscription that of the last change counts
    select
        user_token,
        subscription_token,
        arg_max(status, (changed_at, recorded_at)) = 'cancelled' as is_cancelled,
        bool_or(status = 'cancelled') as was_cancelled,
        max(changed_at) as changed_at,
        max(recorded_at) as recorded_at
    from future.subscriptions
    where plan = 'monthly'
    group by user_token, subscription_token
),
charged as (
    select distinct subscription_token
    from ended
    join future.payments using (subscription_token)
    where is_cancelled and outcome = 'paid' and charged_at > changed_at
),
doubted as (
    select
        *,
        is_cancelled and subscription_token in (select subscription_token from charged) as is_charged,
        -- mistakes are taken back within three days; labels wait until day 35
        is_cancelled and recorded_at >= $scoring_at + interval 32 days as is_recent
    from ended
),
users_ended as (
    select
        user_token,
        bool_or(is_cancelled and not is_charged and not is_recent) as is_cancelled,
        bool_or(is_charged) as is_charged,
        bool_or(is_recent) as is_recent,
        bool_or(was_cancelled) as was_cancelled
    from doubted
    group by user_token
)
select
    user_token,
    case when is_cancelled then 1 when is_charged or is_recent then null else 0 end as label,
    case
        when is_cancelled then 'cancellation on record'
        when is_charged then 'charged after the cancellation'
        when is_recent then 'cancellation too recent'
        when user_token in (select user_token from future.subscriptions where plan = 'annual' and status = 'active')
            then 'switched to the annual plan'
        when was_cancelled then 'cancellation taken back'
        else 'no cancellation on record'
    end as decided_by,
    user_token in (select user_token from future.emails_sent where is_campaign_treatment) as is_treated
from population
left join users_ended using (user_token)
