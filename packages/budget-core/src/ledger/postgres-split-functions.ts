/** Parts of a reservation, for budget slices. `take_steps` is the one of version 1, and knows one step more. */
export const splitFunctions = `
   CREATE FUNCTION split(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     part JSONB := step -> 'part';
     amount NUMERIC := (part ->> 'amountPicoUsd')::numeric;
     hold reservations;
     known reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     SELECT * INTO known FROM reservations WHERE id = part ->> 'id';
     IF FOUND THEN
       RETURN CASE WHEN known.amount_pico_usd = amount THEN '{}' ELSE jsonb_build_object('state', known.state) END;
     END IF;
     IF hold.state IS NULL OR hold.state NOT IN ('dispatched', 'unresolved') OR hold.amount_pico_usd < amount THEN
       RETURN jsonb_build_object('state', hold.state);
     END IF;
     UPDATE reservations SET amount_pico_usd = amount_pico_usd - amount WHERE id = hold.id;
     INSERT INTO reservations (id, state, accounts, amount_pico_usd, reserved_at, lease_ends_at, model_id, price_book)
       VALUES (part ->> 'id', hold.state, hold.accounts, amount, hold.reserved_at, hold.lease_ends_at,
         part ->> 'modelId', part ->> 'priceBook');
     RETURN '{}';
   END $$;

   CREATE OR REPLACE FUNCTION take_steps(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     steps JSONB := request -> 'steps';
     again BOOLEAN := request ? 'again';
     ids TEXT[] := ARRAY(SELECT step ->> 'id' FROM jsonb_array_elements(steps) AS step
       WHERE step ->> 'do' IN ('settle', 'release', 'writeOff', 'split'));
     step JSONB;
     outcome JSONB;
     outcomes JSONB := '[]';
   BEGIN
     PERFORM set_config('lock_timeout', request ->> 'lockTimeoutMs', TRUE);
     PERFORM lock_accounts((SELECT jsonb_agg(key) FROM (
       SELECT jsonb_array_elements(asked -> 'accounts') FROM jsonb_array_elements(steps) AS asked
       UNION ALL
       SELECT jsonb_array_elements(accounts) FROM reservations WHERE id = ANY (ids)
     ) AS keys(key)));
     FOR step IN SELECT value FROM jsonb_array_elements(steps) WITH ORDINALITY ORDER BY ordinality LOOP
       CASE step ->> 'do'
         WHEN 'reserve' THEN outcome := reserve(step);
         WHEN 'markDispatched' THEN outcome := mark_dispatched(step);
         WHEN 'split' THEN outcome := split(step);
         WHEN 'settle' THEN outcome := settle(step, again);
         WHEN 'release' THEN outcome := release(step);
         WHEN 'extend' THEN outcome := extend(step);
         WHEN 'post' THEN outcome := post(step);
         WHEN 'reset' THEN outcome := reset(step);
         WHEN 'writeOff' THEN outcome := write_off(step);
       END CASE;
       outcomes := outcomes || jsonb_build_array(outcome);
     END LOOP;
     RETURN outcomes;
   END $$;`;
