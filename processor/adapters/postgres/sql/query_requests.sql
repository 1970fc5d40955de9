-- Newest first. A parameter that is null takes all.
select
    request_id, district_id, object, requested_by, requested_from, mode, dependencies, request_reason, school_year,
    state, reason, expected_keys as keys, outcomes, failed_outcomes, counts, requested_at, decided_at, run_id
from history.requests
where (%(district_id)s::text is null or district_id = %(district_id)s::text)
    and (%(object)s::text is null or object = %(object)s::text)
    and (%(requested_by)s::text is null or strpos(lower(requested_by), lower(%(requested_by)s::text)) > 0)
    and (%(since)s::timestamptz is null or decided_at >= %(since)s::timestamptz)
    and (%(until)s::timestamptz is null or decided_at < %(until)s::timestamptz)
    and (
        %(after_time)s::timestamptz is null
        or (decided_at, request_id) < (%(after_time)s::timestamptz, %(after_id)s::text)
    )
    and (%(states)s::text[] is null or state = any(%(states)s::text[]))
    and (
        %(seen_districts)s::text[] is null
        or exists (
            select from unnest(%(seen_districts)s::text[], %(seen_objects)s::text[]) as seen (district_id, object)
            where (seen.district_id is null or seen.district_id = requests.district_id)
                and (seen.object is null or seen.object = requests.object)
        )
    )
order by decided_at desc, request_id desc
limit %(limit)s
