-- The index of vectors that a model makes; with its own HNSW index, in force at once when it is the first one.
-- The runtime role owns no table: this is how a new model gets its index.
CREATE FUNCTION open_embedding_index(p_model text, p_dimensions integer, p_max_tokens integer)
RETURNS TABLE (id integer, state varchar)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE found public.embedding_index;
BEGIN
    IF p_dimensions NOT BETWEEN 1 AND 4000 THEN
        RAISE EXCEPTION 'an index has 1 to 4000 dimensions';
    END IF;
    SELECT * INTO found FROM public.embedding_index AS known WHERE known.model = p_model AND known.dimensions = p_dimensions;
    IF found.id IS NULL OR found.state = 'retired' THEN
        PERFORM pg_advisory_xact_lock(hashtext('rxchat embedding index'));
        INSERT INTO public.embedding_index (model, dimensions, max_tokens, state)
        SELECT p_model, p_dimensions, p_max_tokens,
               CASE WHEN EXISTS (SELECT FROM public.embedding_index AS known WHERE known.state = 'active') THEN 'building' ELSE 'active' END
        ON CONFLICT DO NOTHING;
        -- One that was let go of, and is wanted again: what is left of it counts, but nothing is whole in it any more.
        UPDATE public.embedding_index AS known SET state = 'building'
         WHERE known.model = p_model AND known.dimensions = p_dimensions AND known.state = 'retired';
        IF found.state = 'retired' THEN
            UPDATE public.document SET embedded_index = NULL WHERE embedded_index = found.id;
        END IF;
        SELECT * INTO found FROM public.embedding_index AS known WHERE known.model = p_model AND known.dimensions = p_dimensions;
        EXECUTE format(
            'CREATE INDEX IF NOT EXISTS ix_chunk_vector_hnsw_%1$s ON public.chunk_vector'
            ' USING hnsw ((embedding::halfvec(%2$s)) halfvec_cosine_ops) WHERE index_id = %1$s', found.id, found.dimensions);
    END IF;
    RETURN QUERY SELECT found.id, found.state;
END $$;
