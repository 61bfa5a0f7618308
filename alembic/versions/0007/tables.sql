ALTER TABLE public.embedding_index
    ADD COLUMN query_prefix varchar NOT NULL DEFAULT '',
    ADD COLUMN document_prefix varchar NOT NULL DEFAULT '';
DROP INDEX public.uq_embedding_index_model;
CREATE UNIQUE INDEX uq_embedding_index_model
    ON public.embedding_index (model, dimensions, query_prefix, document_prefix);

ALTER TABLE public.message ADD COLUMN error_detail varchar NOT NULL DEFAULT '';
