-- How much the product is used, and how that changed. Windows end at the scoring date, none exceeds 91 days.
with days as (
    select
        user_token,
        date_diff('day', used_on, $scoring_at) as days_ago,
        minutes,
        sessions,
        exports,
        billing_visits
    from usage_events
    semi join population using (user_token)
    where used_on >= $scoring_at - interval 91 days
),
gaps as (
    select *, lag(days_ago) over (partition by user_token order by days_ago desc) - days_ago as gap_days
    from days
),
sums as (
    select
        user_token,
        min(days_ago) as days_since_last_use,
        count(*) filter (where days_ago <= 7) as active_days_7d,
        count(*) filter (where days_ago <= 14) as active_days_14d,
        count(*) filter (where days_ago <= 21) as active_days_21d,
        count(*) filter (where days_ago <= 35) as active_days_35d,
        count(*) filter (where days_ago between 36 and 91) as active_days_36_to_91d,
        coalesce(sum(minutes) filter (where days_ago <= 14), 0)::bigint as minutes_14d,
        coalesce(sum(minutes) filter (where days_ago between 15 and 91), 0)::bigint as minutes_15_to_91d,
        coalesce(sum(sessions) filter (where days_ago <= 14), 0)::bigint as sessions_14d,
        coalesce(sum(exports) filter (where days_ago <= 28), 0)::bigint as exports_28d,
        coalesce(sum(billing_visits) filter (where days_ago <= 14), 0)::bigint as billing_visits_14d,
        coalesce(sum(billing_visits) filter (where days_ago <= 42), 0)::bigint as billing_visits_42d,
        coalesce(max(gap_days) filter (where days_ago <= 35), 0)::bigint as max_gap_days_35d,
        max(gap_days) filter (where days_ago > 14) as max_gap_days_before,
        max(days_ago) as days_seen
    from gaps
    group by user_token
)
select
    user_token, days_since_last_use, active_days_7d, active_days_14d, active_days_21d, active_days_35d,
    minutes_14d, sessions_14d, exports_28d, billing_visits_14d,
    billing_visits_42d, max_gap_days_35d,
    if(days_seen > 42, active_days_36_to_91d * 35.0 / (days_seen - 35), null)::double as usual_active_days_35d,
    if(days_seen > 28, least((active_days_14d + 0.5) / (14.0 * (days_seen_active) / (days_seen - 14) + 0.5), 20), null)::double
        as use_14d_to_usual,
    if(days_seen > 42, least((active_days_35d + 0.5) / (active_days_36_to_91d * 35.0 / (days_seen - 35) + 0.5), 20), null)::double
        as use_35d_to_usual,
    if(days_seen > 28, least((minutes_14d + 10) / (minutes_15_to_91d * 14.0 / (days_seen - 14) + 10), 50), null)::double
        as minutes_14d_to_usual,
    least(days_since_last_use / greatest(coalesce(max_gap_days_before, 7), 1), 91)::double as overdue_ratio
from (select *, active_days_36_to_91d + active_days_35d - active_days_14d as days_seen_active from sums)
