-- Count what the current user's request to a model has used instead of what was reserved for it, on the day when it began; with
-- p_requests of 0, only end the reservation. Returns its cost; NULL if no price is set, or it was settled before (p_is_repeated).
CREATE FUNCTION settle_usage(
    p_id uuid, p_model varchar, p_requests bigint, p_input bigint, p_output bigint, p_is_repeated boolean
) RETURNS numeric
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    who constant uuid := current_user_id();
    counters uuid[];
    counters_now uuid[];
    began date;
    price numeric;
BEGIN
    IF who IS NULL THEN
        RAISE EXCEPTION 'not without a user' USING ERRCODE = 'insufficient_privilege';
    END IF;
    counters_now := open_quota_counters(who, p_model);
    DELETE FROM public.usage_reservation WHERE id = p_id AND user_id = who RETURNING counter_ids, day INTO counters, began;
    IF NOT FOUND THEN
        IF p_is_repeated THEN
            RETURN NULL;
        END IF;
        -- It expired, or another process has taken over the run: what was used counts nevertheless.
        counters := counters_now;
        began := quota_period_start('day');
    END IF;
    IF p_requests <= 0 THEN
        RETURN NULL;
    END IF;
    price := cost_of_tokens(p_model, greatest(p_input, 0), greatest(p_output, 0));
    INSERT INTO public.model_usage AS total (user_id, day, model, requests, input_tokens, output_tokens, cost)
    VALUES (who, began, p_model, p_requests, greatest(p_input, 0), greatest(p_output, 0), coalesce(price, 0))
    ON CONFLICT (user_id, day, model) DO UPDATE
       SET requests = total.requests + excluded.requests, input_tokens = total.input_tokens + excluded.input_tokens,
           output_tokens = total.output_tokens + excluded.output_tokens, cost = total.cost + excluded.cost;
    PERFORM FROM public.quota_counter WHERE id = ANY (counters) ORDER BY id FOR UPDATE;
    UPDATE public.quota_counter AS counter
       SET requests = counter.requests + p_requests, tokens = counter.tokens + greatest(p_input, 0) + greatest(p_output, 0),
           cost = counter.cost + coalesce(price, 0)
     WHERE counter.id = ANY (counters);
    RETURN price;
END $$;
