-- The runs that no engine is writing now, in the order in which they are claimed: runs that were begun before, then the
-- first run of each user, the second run of each, and so on. Runs being written count as earlier ones of their user.
-- For procedures and queued_run alone.
CREATE VIEW waiting_run AS
    WITH active AS (
        SELECT owner_id, id, created_at, fence > 0 AS was_begun, is_leased(state, lease_until) AS is_written
          FROM public.run WHERE state IN ('queued', 'running')),
    busy AS (SELECT owner_id, count(*) AS runs FROM active WHERE is_written GROUP BY owner_id)
    SELECT active.owner_id, active.id, active.was_begun, active.created_at,
           coalesce(busy.runs, 0)
           + row_number() OVER (PARTITION BY active.owner_id ORDER BY active.was_begun DESC, active.created_at, active.id) AS turn
      FROM active LEFT JOIN busy USING (owner_id)
     WHERE NOT active.is_written;
