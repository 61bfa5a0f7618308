-- The current user's runs that wait, each with its position in the queue of all users: 1 is the next.
CREATE VIEW queued_run WITH (security_barrier) AS
    SELECT queued.id, queued.position
      FROM (SELECT owner_id, id, row_number() OVER (ORDER BY was_begun DESC, turn, created_at, id) AS position
              FROM public.waiting_run) AS queued
     WHERE queued.owner_id = current_user_id();
