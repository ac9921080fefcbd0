-- Who the user is, as far as the PII boundary lets it through. For fairness; the model does not see it.
select user_token, age_band, gender, accepts_marketing
from users
