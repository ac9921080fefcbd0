-- Who the customer is, as far as the PII boundary lets it through. For slices and fairness; the model does not see it.
select
    customer_token,
    if(country = 'United Kingdom', 'United Kingdom', 'elsewhere') as region,
    age_band
from customers
