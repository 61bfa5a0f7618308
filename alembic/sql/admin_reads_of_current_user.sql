-- What administrators have listed or read of the acting person's conversations, and the reasons that they gave.
CREATE FUNCTION admin_reads_of_current_user(p_limit integer)
RETURNS TABLE (at timestamptz, action varchar, reader varchar, reason text, conversation text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT event.at, event.action, coalesce(reader.name, 'An administrator')::varchar, event.data ->> 'reason',
           coalesce(event.data ->> 'conversation', '')
      FROM public.audit_event AS event LEFT JOIN public.user_account AS reader ON reader.id = event.actor_id
     WHERE event.action IN ('conversations_listed', 'conversation_read')
       AND (event.data ->> 'person') = current_user_id()::text AND event.actor_id IS DISTINCT FROM current_user_id()
     ORDER BY event.at DESC LIMIT p_limit
$$;
