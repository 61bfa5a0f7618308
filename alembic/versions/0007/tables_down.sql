-- Of a model's indexes that differ in their prefixes the newest stays.
DELETE FROM public.chunk_vector WHERE index_id IN (
    SELECT one.id FROM public.embedding_index AS one JOIN public.embedding_index AS other
        ON other.model = one.model AND other.dimensions = one.dimensions AND other.id > one.id);
DELETE FROM public.embedding_index AS one USING public.embedding_index AS other
 WHERE other.model = one.model AND other.dimensions = one.dimensions AND other.id > one.id;
DROP INDEX public.uq_embedding_index_model;
CREATE UNIQUE INDEX uq_embedding_index_model ON public.embedding_index (model, dimensions);
ALTER TABLE public.embedding_index DROP COLUMN query_prefix, DROP COLUMN document_prefix;

ALTER TABLE public.message DROP COLUMN error_detail;

DROP INDEX public.ix_audit_event_readings;
ALTER TABLE public.user_account DROP COLUMN deletion_by, DROP COLUMN readings_seen_at;
