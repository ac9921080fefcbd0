-- How paying went in the last 90 days. A payment that was recorded again counts as it was recorded last.
with newest as (
    select user_token, arg_max(outcome, recorded_at) as outcome, arg_max(charged_at, recorded_at) as charged_at,
        arg_max(method, recorded_at) as method
    from payments
    where charged_at >= $scoring_at - interval 90 days
    group by user_token, payment_token
)
select
    p.user_token,
    count(*) filter (where outcome = 'failed') as failed_payments_90d,
    count(*) filter (where outcome = 'failed' and charged_at >= $scoring_at - interval 30 days) as failed_payments_30d,
    count(*) filter (where outcome = 'refunded') as refunds_90d,
    coalesce(arg_max(outcome, charged_at) = 'failed', false) as last_payment_failed,
    date_diff('day', max(charged_at), $scoring_at) as days_since_last_charge,
    coalesce(arg_max(method, charged_at), 'unknown') as payment_method
from population as p
left join newest using (user_token)
group by p.user_token
