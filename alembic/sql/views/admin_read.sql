-- What administrators have listed or read of the current user's conversations, and the reasons that they gave.
CREATE VIEW admin_read WITH (security_barrier) AS
    SELECT event.at, event.action, coalesce(reader.name, 'An administrator')::varchar AS reader,
           event.data ->> 'reason' AS reason, coalesce(event.data ->> 'conversation', '') AS conversation
      FROM public.audit_event AS event LEFT JOIN public.user_account AS reader ON reader.id = event.actor_id
     WHERE event.action IN ('conversations_listed', 'conversation_read')
       AND (event.data ->> 'user') = current_user_id()::text AND event.actor_id IS DISTINCT FROM current_user_id();
