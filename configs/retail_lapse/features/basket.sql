-- What the customer buys and how much of it comes back, within 90 days before the scoring date.
with recent as (
    select
        *,
        quantity * unit_price_gbp as amount_gbp,
        not starts_with(invoice_no, 'C') and quantity > 0 as is_purchase,
        date_diff('day', invoiced_at::date, $scoring_at::date) as days_ago
    from transactions
    where invoiced_at >= $scoring_at - interval 90 days
),
invoices as (
    select customer_token, invoice_no, min(days_ago) as days_ago, sum(amount_gbp) as amount_gbp
    from recent
    where is_purchase
    group by all
),
lines as (
    select
        customer_token,
        coalesce(sum(amount_gbp) filter (where is_purchase), 0)::double as spend_gbp_90d,
        coalesce(sum(amount_gbp) filter (where is_purchase and days_ago <= 30), 0)::double as spend_gbp_30d,
        count(*) filter (where is_purchase) as purchase_lines_90d,
        count(distinct stock_code) filter (where is_purchase) as products_90d,
        median(unit_price_gbp) filter (where is_purchase)::double as median_unit_price_gbp_90d,
        count(*) filter (where not is_purchase) as refund_lines_90d,
        coalesce(-sum(amount_gbp) filter (where not is_purchase), 0)::double as refund_gbp_90d
    from recent
    group by customer_token
)
select
    lines.customer_token,
    spend_gbp_90d,
    spend_gbp_30d,
    purchase_lines_90d,
    products_90d,
    median_unit_price_gbp_90d,
    refund_lines_90d,
    refund_gbp_90d,
    count(*) as invoices_90d,
    avg(amount_gbp)::double as mean_invoice_gbp_90d,
    max(amount_gbp)::double as max_invoice_gbp_90d,
    arg_min(amount_gbp, (days_ago, invoice_no))::double as last_invoice_gbp
from lines
join invoices on invoices.customer_token = lines.customer_token
group by all
