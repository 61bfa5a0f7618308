ALTER TABLE public.embedding_index
    ADD COLUMN query_prefix varchar NOT NULL DEFAULT '',
    ADD COLUMN document_prefix varchar NOT NULL DEFAULT '';
DROP INDEX public.uq_embedding_index_model;
CREATE UNIQUE INDEX uq_embedding_index_model
    ON public.embedding_index (model, dimensions, query_prefix, document_prefix);

ALTER TABLE public.message ADD COLUMN error_detail varchar NOT NULL DEFAULT '';

ALTER TABLE public.user_account
    ADD COLUMN deletion_by uuid,
    ADD COLUMN readings_seen_at timestamptz;
GRANT UPDATE (readings_seen_at) ON public.user_account TO rxchat_app;
CREATE INDEX ix_audit_event_readings ON public.audit_event ((data ->> 'person'), at)
    WHERE action IN ('conversations_listed', 'conversation_read');

-- Of several open invitations to one address the newest stays; those to addresses that have an account go.
DELETE FROM public.account_link AS link
 WHERE link.kind = 'invitation' AND link.used_at IS NULL
   AND (EXISTS (SELECT FROM public.user_account WHERE lower(user_account.email) = lower(link.email))
        OR EXISTS (SELECT FROM public.account_link AS newer
                    WHERE newer.kind = 'invitation' AND newer.used_at IS NULL AND newer.created_at > link.created_at
                      AND lower(newer.email) = lower(link.email)));
