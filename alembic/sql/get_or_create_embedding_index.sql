-- Return the index of an embedding model's vectors, and create it, with its HNSW index, for a new model; the first one is
-- active at once. Prefixes are part of its identity: with other prefixes, a model returns other vectors.
-- The runtime role owns no table, so that only this procedure can create an index. There are at most eight, since each one
-- more slows down all writes of vectors; retired ones are deleted by maintenance.
CREATE FUNCTION get_or_create_embedding_index(
    p_model text, p_dimensions integer, p_max_tokens integer, p_query_prefix text, p_document_prefix text
) RETURNS TABLE (id integer, state varchar)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    found public.embedding_index;
    is_active boolean;
BEGIN
    IF p_dimensions NOT BETWEEN 1 AND 4000 THEN
        RAISE EXCEPTION 'an index has 1 to 4000 dimensions';
    END IF;
    SELECT * INTO found FROM public.embedding_index AS known
     WHERE (known.model, known.dimensions, known.query_prefix, known.document_prefix)
         = (p_model, p_dimensions, p_query_prefix, p_document_prefix);
    IF found.id IS NULL OR found.state = 'retired' THEN
        PERFORM pg_advisory_xact_lock(hashtext('rxchat embedding index'));
        IF found.id IS NULL AND (SELECT count(*) FROM public.embedding_index) >= 8 THEN
            RAISE EXCEPTION 'there are too many vector indexes' USING ERRCODE = 'program_limit_exceeded';
        END IF;
        is_active := NOT EXISTS (SELECT FROM public.embedding_index AS known WHERE known.state = 'active');
        INSERT INTO public.embedding_index (model, dimensions, max_tokens, query_prefix, document_prefix, state)
        VALUES (p_model, p_dimensions, p_max_tokens, p_query_prefix, p_document_prefix,
                CASE WHEN is_active THEN 'active' ELSE 'building' END)
        ON CONFLICT DO NOTHING;
        -- A retired index that is wanted again keeps its remaining vectors, but no document is complete in it.
        UPDATE public.embedding_index AS known SET state = 'building'
         WHERE known.id = found.id AND known.state = 'retired';
        IF found.state = 'retired' THEN
            UPDATE public.document SET embedded_index = NULL WHERE embedded_index = found.id;
        END IF;
        SELECT * INTO found FROM public.embedding_index AS known
         WHERE (known.model, known.dimensions, known.query_prefix, known.document_prefix)
             = (p_model, p_dimensions, p_query_prefix, p_document_prefix);
        EXECUTE format(
            'CREATE INDEX IF NOT EXISTS ix_chunk_vector_hnsw_%1$s ON public.chunk_vector'
            ' USING hnsw ((embedding::public.halfvec(%2$s)) public.halfvec_cosine_ops) WHERE index_id = %1$s',
            found.id, found.dimensions);
    END IF;
    RETURN QUERY SELECT found.id, found.state;
END $$;
