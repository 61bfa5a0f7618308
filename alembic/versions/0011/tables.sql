ALTER TABLE public.document
    ADD COLUMN version_series_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN version_state varchar NOT NULL DEFAULT 'current',
    ADD COLUMN if_exists varchar NOT NULL DEFAULT 'keep',
    ADD COLUMN parent_id uuid,
    ADD CONSTRAINT ck_document_version_state CHECK (version_state IN ('current', 'pending', 'superseded')),
    ADD CONSTRAINT ck_document_if_exists CHECK (if_exists IN ('keep', 'replace', 'refuse')),
    ADD CONSTRAINT fk_document_document FOREIGN KEY (owner_id, parent_id)
        REFERENCES public.document (owner_id, id) ON DELETE CASCADE;
CREATE UNIQUE INDEX uq_document_version ON public.document (owner_id, version_series_id, version);
CREATE UNIQUE INDEX uq_document_current ON public.document (owner_id, version_series_id) WHERE version_state = 'current';
CREATE INDEX ix_document_parent ON public.document (owner_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_document_name ON public.document (owner_id, collection_id, name);
