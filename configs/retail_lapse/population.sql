-- Customers who bought on at least two different days in the 90 days before the scoring date.
select customer_token
from transactions
where not starts_with(invoice_no, 'C') and quantity > 0
  and invoiced_at >= $scoring_at - interval 90 days
group by customer_token
having count(distinct invoiced_at::date) >= 2
