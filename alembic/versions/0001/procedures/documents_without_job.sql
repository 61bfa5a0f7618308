-- Documents that are not finished and that no job will finish, as after a restored backup; they get a new one.
CREATE FUNCTION documents_without_job(p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT document.owner_id, document.id FROM public.document
     WHERE document.state NOT IN ('uploading', 'ready', 'failed') AND document.updated_at < now() - interval '30 seconds'
       AND NOT EXISTS (SELECT FROM public.procrastinate_jobs AS job
                        WHERE CASE WHEN job.status IN ('todo', 'doing') THEN job.lock END = 'document ' || document.id)
     ORDER BY document.updated_at LIMIT p_limit
$$;
