-- How often the customer buys, and whether the next purchase is overdue. Windows end at the scoring date, none exceeds 90 days.
with days as (
    select customer_token, invoiced_at::date as day
    from transactions
    where not starts_with(invoice_no, 'C') and quantity > 0
      and invoiced_at >= $scoring_at - interval 90 days
    group by all
),
gaps as (
    select
        customer_token,
        date_diff('day', day, $scoring_at::date) as days_ago,
        date_diff('day', lag(day) over (partition by customer_token order by day), day) as gap_days,
        row_number() over (partition by customer_token order by day desc) as recency_rank
    from days
)
select
    customer_token,
    min(days_ago) as days_since_last_purchase,
    max(days_ago) filter (where recency_rank = 2) as days_since_second_last_purchase,
    max(days_ago) as days_since_first_purchase_90d,
    count(*) as purchase_days_90d,
    count(*) filter (where days_ago <= 30) as purchase_days_30d,
    count(*) filter (where days_ago <= 14) as purchase_days_14d,
    count(*) filter (where days_ago between 31 and 60) as purchase_days_31_to_60d,
    avg(gap_days) as mean_gap_days_90d,
    max(gap_days) as max_gap_days_90d,
    stddev_samp(gap_days) as sd_gap_days_90d,
    min(days_ago) / avg(gap_days) as overdue_ratio
from gaps
group by customer_token
