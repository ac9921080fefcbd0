-- Whether the user opens what is sent, and whether the retention pilot wrote lately.
with recent as (
    select * from emails_sent where sent_at >= $scoring_at - interval 91 days
)
select
    p.user_token,
    count(*) filter (where kind = 'newsletter') as newsletters_91d,
    count(*) filter (where kind = 'newsletter' and opened) as opened_newsletters_91d,
    count(*) filter (where kind = 'newsletter' and opened and sent_at >= $scoring_at - interval 35 days)
        as opened_newsletters_35d,
    count(*) filter (where is_campaign_treatment and sent_at >= $scoring_at - interval 35 days) as retention_messages_35d,
    if(retention_messages_35d > 0, 'written to', 'not written to') as campaign
from population as p
left join recent using (user_token)
group by p.user_token
