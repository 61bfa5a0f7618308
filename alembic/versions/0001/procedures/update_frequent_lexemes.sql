-- Find the lexemes that occur in many chunks, from a sample. Searches in very many chunks ignore them.
CREATE FUNCTION update_frequent_lexemes() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE chunks double precision; sampled integer; counted integer; sample text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('rxchat frequent lexemes')) THEN
        RETURN 0;
    END IF;
    SELECT greatest(reltuples, 0) INTO chunks FROM pg_class WHERE oid = 'public.chunk'::regclass;
    -- Not a temporary table: no role of RxChat may create one.
    sample := format(
        'SELECT lexemes FROM public.chunk WHERE %s OR abs(hashtext(id::text)) %% %s = 0 LIMIT 50000',
        (chunks < 50000)::text, greatest(1, (chunks / 50000)::integer));
    EXECUTE format('SELECT count(*) FROM (%s) AS sample', sample) INTO sampled;
    DELETE FROM public.frequent_lexeme;
    INSERT INTO public.frequent_lexeme (lexeme, frequency)
        SELECT found.word, found.ndoc::real / sampled FROM ts_stat(sample) AS found
         WHERE found.ndoc > greatest(5, sampled / 2000);
    GET DIAGNOSTICS counted = ROW_COUNT;
    RETURN counted;
END $$;
