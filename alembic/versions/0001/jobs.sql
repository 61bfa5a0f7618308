-- What claim_job needs beside procrastinate's own tables (procrastinate.sql).
-- Each index answers one question of claim_job and no other, so that the planner cannot choose another one by statistics,
-- which are out of date as soon as many jobs are added at once.
CREATE INDEX ix_procrastinate_jobs_owner ON procrastinate_jobs
    ((CASE WHEN status = 'todo' THEN queue_name END), (args ->> 'owner_id'), priority DESC, id);
-- Hash indexes, because they cannot be scanned from end to end.
CREATE INDEX ix_procrastinate_jobs_lock ON procrastinate_jobs
    USING hash ((CASE WHEN status IN ('todo', 'doing') THEN lock END));
CREATE INDEX ix_procrastinate_jobs_worker ON procrastinate_jobs
    USING hash ((CASE WHEN status = 'doing' THEN worker_id END));

GRANT SELECT, INSERT, UPDATE, DELETE
    ON procrastinate_jobs, procrastinate_events, procrastinate_workers, procrastinate_periodic_defers TO rxchat_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO rxchat_app;
