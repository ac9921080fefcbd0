-- Users on the monthly paid plan, active in the last 30 days, who signed up at least 14 days ago.
select user_token
from subscriptions
join users using (user_token)
where plan = 'monthly' and status = 'active'
  and signed_up_at <= $scoring_at - interval 14 days
  and user_token in (select user_token from usage_events where used_on >= $scoring_at - interval 30 days)
group by user_token
