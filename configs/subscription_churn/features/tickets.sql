-- What the user wrote to support in the last 91 days: how often, in which tone, how long. Masked text only; what it is
-- about is found by the model's topics of the newest ticket.
with recent as (
    select
        user_token,
        ticket_token,
        opened_at,
        date_diff('day', opened_at, $scoring_at) as days_ago,
        body,
        length(body) as characters,
        regexp_matches(lower(body), '!|unacceptable|frustrat|annoy|again|nobody|never|cannot|still not') as is_angry,
        regexp_matches(lower(body), 'thank|please|great|love|pleasure') as is_friendly
    from support_tickets
    where opened_at >= $scoring_at - interval 91 days
)
select
    p.user_token,
    count(r.user_token) as tickets_91d,
    count(*) filter (where days_ago <= 28) as tickets_28d,
    count(*) filter (where is_angry) as angry_tickets_91d,
    count(*) filter (where is_friendly) as friendly_tickets_91d,
    least(coalesce(avg(characters), 0), 2000)::double as mean_characters_91d,
    coalesce(min(days_ago), 92) as days_since_last_ticket,
    arg_max(body, (opened_at, body)) as last_ticket
from population as p
left join recent as r using (user_token)
group by p.user_token
