-- Return what a request to a model costs; NULL if no price is set for it.
CREATE FUNCTION cost_of_tokens(p_model varchar, p_input bigint, p_output bigint) RETURNS numeric
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT (model_price.input_price * p_input + model_price.output_price * p_output) / 1000000
      FROM public.model_price WHERE model_price.model = p_model
$$;
