-- Return the counters of this period of all quotas that hold for a user's requests to a model, in the order in which they are
-- locked. New ones begin with what was used so far, and count what is reserved already. Takes the lock that all changes of
-- counters share: alone while it makes new ones, so that nothing is settled between counting it and counting on.
CREATE FUNCTION open_quota_counters(p_user uuid, p_model varchar) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    of_all constant uuid := '00000000-0000-0000-0000-000000000000';
    the_lock constant integer := hashtext('rxchat quota counters');
    held public.quota;
    holder uuid;
    counter uuid;
BEGIN
    IF EXISTS (
        SELECT FROM applicable_quotas(p_user, p_model) AS found
         WHERE NOT EXISTS (
             SELECT FROM public.quota_counter
              WHERE quota_counter.quota_id = found.id AND quota_counter.period_start = quota_period_start(found.period)
                AND quota_counter.user_id = CASE WHEN found.is_each THEN p_user ELSE of_all END))
    THEN
        PERFORM pg_advisory_xact_lock(the_lock);
        FOR held IN
            -- A quota that is deleted at this moment is left out.
            SELECT quota.* FROM public.quota WHERE quota.id IN (SELECT id FROM applicable_quotas(p_user, p_model))
             ORDER BY quota.id FOR KEY SHARE
        LOOP
            holder := CASE WHEN held.is_each THEN p_user ELSE of_all END;
            INSERT INTO public.quota_counter (id, quota_id, user_id, period_start, requests, tokens, cost)
            SELECT gen_random_uuid(), held.id, holder, quota_period_start(held.period), coalesce(sum(used.requests), 0),
                   coalesce(sum(used.input_tokens + used.output_tokens), 0), coalesce(sum(used.cost), 0)
              FROM public.model_usage AS used
             WHERE used.day >= quota_period_start(held.period) AND is_of_quota(held, holder, used.user_id, used.model)
            ON CONFLICT ON CONSTRAINT uq_quota_counter_quota_id_user_id_period_start DO NOTHING
            RETURNING id INTO counter;
            IF FOUND THEN
                UPDATE public.usage_reservation AS reserved SET counter_ids = array_append(reserved.counter_ids, counter)
                 WHERE reserved.day >= quota_period_start(held.period)
                   AND is_of_quota(held, holder, reserved.user_id, reserved.model);
            END IF;
        END LOOP;
    ELSE
        PERFORM pg_advisory_xact_lock_shared(the_lock);
    END IF;
    RETURN ARRAY(
        SELECT quota_counter.id FROM public.quota_counter JOIN applicable_quotas(p_user, p_model) AS found
            ON quota_counter.quota_id = found.id AND quota_counter.period_start = quota_period_start(found.period)
               AND quota_counter.user_id = CASE WHEN found.is_each THEN p_user ELSE of_all END
         ORDER BY quota_counter.id);
END $$;
