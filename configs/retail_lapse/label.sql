-- 1: no purchase within the horizon. A refund of a purchase does not undo it.
select customer_token, (count(f.invoiced_at) = 0)::int as label
from population
left join (
    select customer_token, invoiced_at
    from future.transactions
    where not starts_with(invoice_no, 'C') and quantity > 0
) as f using (customer_token)
group by customer_token
