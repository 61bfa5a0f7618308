-- Store chunks of several answers, and return the runs that were refused: those whose lease this engine does not hold under
-- this fence. A run that makes progress starts counting its attempts again.
CREATE FUNCTION append_run_chunks(
    p_engine uuid, p_runs uuid[], p_fences integer[], p_seqs integer[], p_kinds text[], p_starts integer[], p_texts text[]
) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH given AS (
        SELECT * FROM unnest(p_runs, p_fences, p_seqs, p_kinds, p_starts, p_texts)
            AS piece (run_id, fence, seq, kind, start, text)),
    held AS (
        -- Locked until this commits, so that no other engine claims the run in between.
        SELECT run.owner_id, run.id, run.fence FROM public.run
         WHERE run.id = ANY (p_runs) AND run.engine_id = p_engine AND run.state = 'running'
         ORDER BY run.id FOR UPDATE),
    stored AS (
        INSERT INTO public.run_chunk (owner_id, run_id, seq, kind, start, text)
        SELECT held.owner_id, held.id, given.seq, given.kind, given.start, given.text
          FROM given JOIN held ON held.id = given.run_id AND held.fence = given.fence
        -- Postgres may have committed a chunk without the engine learning of it; the one sent again contains it.
        ON CONFLICT (owner_id, run_id, seq) DO UPDATE
           SET kind = EXCLUDED.kind, start = EXCLUDED.start, text = EXCLUDED.text
        RETURNING run_id)
    SELECT DISTINCT given.run_id FROM given WHERE given.run_id NOT IN (SELECT run_id FROM stored);
    UPDATE public.run SET attempt = 1 FROM unnest(p_runs, p_fences) AS given (run_id, fence)
     WHERE run.id = given.run_id AND run.fence = given.fence AND run.engine_id = p_engine AND run.state = 'running'
       AND run.attempt > 1;
END $$;
