-- Counts anew which words stand in many chunks, from a sample: searching through very many chunks leaves them out.
CREATE FUNCTION count_common_words() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE chunks double precision; sampled integer; counted integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('rxchat common words')) THEN
        RETURN 0;
    END IF;
    SELECT greatest(reltuples, 0) INTO chunks FROM pg_class WHERE oid = 'chunk'::regclass;
    CREATE TEMP TABLE sample ON COMMIT DROP AS
        SELECT words FROM chunk WHERE chunks < 50000 OR abs(hashtext(id::text)) % greatest(1, (chunks / 50000)::integer) = 0 LIMIT 50000;
    SELECT count(*) INTO sampled FROM sample;
    DELETE FROM common_word;
    INSERT INTO common_word (word, share)
        SELECT found.word, found.ndoc::real / sampled FROM ts_stat('SELECT words FROM pg_temp.sample') AS found
         WHERE found.ndoc > greatest(5, sampled / 2000);
    GET DIAGNOSTICS counted = ROW_COUNT;
    DROP TABLE sample;
    RETURN counted;
END $$;
