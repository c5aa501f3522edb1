/**
 * What a ledger does, as functions in its schema: one call is one round trip and one transaction, for any number of
 * accounts.
 *
 * A step that must look before it changes locks the rows of all its accounts first, in the order of their names, so that
 * no two transactions wait for each other; only then does a statement of its own read the balances, which under READ
 * COMMITTED sees what whoever held the lock before has committed. Under a stricter isolation the server refuses such a
 * step instead (40001), and it is repeated.
 */
export const stepFunctions = `
   CREATE FUNCTION balance_of(account accounts) RETURNS JSONB STABLE LANGUAGE sql AS $$
     SELECT jsonb_build_object(
       'scope', account.scope, 'window', account."window", 'spentPicoUsd', account.spent_pico_usd::text,
       'heldPicoUsd', account.held_pico_usd::text, 'unresolvedPicoUsd', account.unresolved_pico_usd::text,
       'callCount', account.call_count, 'boundCallCount', account.bound_call_count);
   $$;

   -- Creates the accounts that are new.
   CREATE FUNCTION lock_accounts(keys JSONB) RETURNS VOID LANGUAGE plpgsql AS $$
   DECLARE key RECORD;
   BEGIN
     FOR key IN
       SELECT DISTINCT each.scope COLLATE "C" AS scope, each."window" COLLATE "C" AS "window"
         FROM jsonb_to_recordset(keys) AS each(scope TEXT, "window" TEXT) ORDER BY 1, 2
     LOOP
       PERFORM 1 FROM accounts WHERE scope = key.scope AND "window" = key."window" FOR UPDATE;
       CONTINUE WHEN FOUND;
       INSERT INTO accounts (scope, "window") VALUES (key.scope, key."window")
         ON CONFLICT (scope, "window") DO UPDATE SET call_count = accounts.call_count;
     END LOOP;
   END $$;

   -- The only writer of balances: no change without its entry in the journal. Returns the balances after it.
   CREATE FUNCTION change(
     step_name TEXT, id TEXT, keys JSONB, held NUMERIC, unresolved NUMERIC, receipt JSONB, asked_model_id TEXT
   ) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     spent NUMERIC := coalesce((receipt ->> 'costPicoUsd')::numeric, 0);
     calls BIGINT := CASE WHEN receipt IS NULL THEN 0 ELSE 1 END;
     bound_calls BIGINT := CASE WHEN receipt ->> 'kind' = 'bound' THEN 1 ELSE 0 END;
     model TEXT := CASE WHEN calls = 1 THEN coalesce(receipt ->> 'modelId', asked_model_id, 'unknown') END;
     key RECORD;
     account accounts;
     balances JSONB := '[]';
   BEGIN
     FOR key IN SELECT * FROM jsonb_to_recordset(keys) AS each(scope TEXT, "window" TEXT) LOOP
       UPDATE accounts SET
         spent_pico_usd = spent_pico_usd + spent,
         held_pico_usd = held_pico_usd + held,
         unresolved_pico_usd = unresolved_pico_usd + unresolved,
         call_count = call_count + calls,
         bound_call_count = bound_call_count + bound_calls
       WHERE scope = key.scope AND "window" = key."window" RETURNING * INTO STRICT account;
       INSERT INTO journal (step, step_id, scope, "window", spent_pico_usd, held_pico_usd, unresolved_pico_usd,
           call_count, bound_call_count, model_id)
         VALUES (step_name, id, key.scope, key."window", spent, held, unresolved, calls, bound_calls, model);
       IF calls = 1 THEN
         INSERT INTO account_models (scope, "window", model_id, call_count, spent_pico_usd)
           VALUES (key.scope, key."window", model, 1, spent)
           ON CONFLICT (scope, "window", model_id) DO UPDATE SET
             call_count = account_models.call_count + 1,
             spent_pico_usd = account_models.spent_pico_usd + excluded.spent_pico_usd;
       END IF;
       balances := balances || balance_of(account);
     END LOOP;
     RETURN balances;
   END $$;

   -- Brings a reservation to its next state, and its amount to where that state counts it.
   CREATE FUNCTION move(hold reservations, next_state TEXT, why TEXT, receipt JSONB) RETURNS JSONB
   LANGUAGE plpgsql AS $$
   DECLARE
     was_unresolved BOOLEAN := hold.state = 'unresolved';
     held NUMERIC := CASE WHEN was_unresolved THEN 0 ELSE -hold.amount_pico_usd END;
     unresolved NUMERIC := CASE
       WHEN was_unresolved THEN -hold.amount_pico_usd
       WHEN next_state = 'unresolved' THEN hold.amount_pico_usd
       ELSE 0 END;
   BEGIN
     UPDATE reservations SET
       state = next_state,
       evidence = why,
       cost_pico_usd = (receipt ->> 'costPicoUsd')::numeric,
       kind = receipt ->> 'kind',
       served_model_id = receipt ->> 'modelId',
       bound_breached = coalesce((receipt ->> 'boundBreached')::boolean, FALSE),
       usage = receipt -> 'usage'
     WHERE id = hold.id;
     RETURN change(next_state, hold.id, hold.accounts, held, unresolved, receipt, hold.model_id);
   END $$;

   CREATE FUNCTION reserve(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     amount NUMERIC := (step ->> 'amountPicoUsd')::numeric;
     known reservations;
     key RECORD;
     account accounts;
     lacking JSONB := '[]';
   BEGIN
     SELECT * INTO known FROM reservations WHERE id = step ->> 'id';
     IF FOUND THEN
       IF known.amount_pico_usd = amount AND known.state IN ('held', 'dispatched', 'unresolved') THEN
         RETURN '{"admitted": true}';
       END IF;
       RETURN jsonb_build_object('state', known.state);
     END IF;
     FOR key IN
       SELECT * FROM jsonb_to_recordset(step -> 'accounts') AS each(scope TEXT, "window" TEXT, "limitPicoUsd" NUMERIC)
     LOOP
       SELECT * INTO STRICT account FROM accounts WHERE scope = key.scope AND "window" = key."window";
       CONTINUE WHEN key."limitPicoUsd" IS NULL OR amount = 0 OR amount <= key."limitPicoUsd"
         - account.spent_pico_usd - account.held_pico_usd - account.unresolved_pico_usd;
       lacking := lacking || (balance_of(account) || jsonb_build_object('limitPicoUsd', key."limitPicoUsd"::text));
     END LOOP;
     IF lacking <> '[]' THEN RETURN jsonb_build_object('admitted', FALSE, 'lacking', lacking); END IF;

     PERFORM change('held', step ->> 'id', step -> 'accounts', amount, 0, NULL, NULL);
     INSERT INTO reservations (id, state, accounts, amount_pico_usd, lease_ends_at, model_id, price_book)
       VALUES (step ->> 'id', 'held', step -> 'accounts', amount,
         clock_timestamp() + (step ->> 'leaseMs')::float8 * INTERVAL '1 ms', step ->> 'modelId', step ->> 'priceBook');
     RETURN '{"admitted": true}';
   END $$;

   CREATE FUNCTION mark_dispatched(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE hold reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state = 'held' THEN UPDATE reservations SET state = 'dispatched' WHERE id = hold.id; END IF;
     RETURN CASE WHEN hold.state IN ('held', 'dispatched') THEN '{}' ELSE jsonb_build_object('state', hold.state) END;
   END $$;

   CREATE FUNCTION settle(step JSONB, again BOOLEAN) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE hold reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state IN ('dispatched', 'unresolved') THEN
       RETURN jsonb_build_object('balances', move(hold, 'settled', NULL, step -> 'receipt'));
     END IF;
     IF hold.state IS DISTINCT FROM 'settled' THEN RETURN jsonb_build_object('state', hold.state); END IF;
     -- Who asks again because the first answer was lost still wants that answer.
     RETURN jsonb_build_object('balances', CASE
       WHEN again THEN read(jsonb_build_object('accounts', hold.accounts)) ELSE '[]' END);
   END $$;

   CREATE FUNCTION release(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE hold reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state = 'released' THEN RETURN '{}'; END IF;
     IF hold.state = 'held' OR (hold.state = 'dispatched' AND step ? 'evidence') THEN
       PERFORM move(hold, 'released', step ->> 'evidence', NULL);
       RETURN '{}';
     END IF;
     RETURN jsonb_build_object('state', hold.state);
   END $$;

   CREATE FUNCTION extend(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE found_state TEXT;
   BEGIN
     UPDATE reservations SET lease_ends_at = clock_timestamp() + (step ->> 'leaseMs')::float8 * INTERVAL '1 ms'
       WHERE id = step ->> 'id' AND state IN ('held', 'dispatched');
     IF FOUND THEN RETURN '{}'; END IF;
     SELECT state INTO found_state FROM reservations WHERE id = step ->> 'id';
     RETURN jsonb_build_object('state', found_state);
   END $$;

   CREATE FUNCTION write_off(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE hold reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state = 'unresolved' THEN PERFORM move(hold, 'writtenOff', step ->> 'evidence', NULL); END IF;
     RETURN CASE WHEN hold.state IN ('unresolved', 'writtenOff') THEN '{}' ELSE jsonb_build_object('state', hold.state) END;
   END $$;

   CREATE FUNCTION post(step JSONB, again BOOLEAN) RETURNS JSONB LANGUAGE plpgsql AS $$
   BEGIN
     IF again AND EXISTS (SELECT FROM journal WHERE journal.step = 'posted' AND step_id = post.step ->> 'id') THEN
       RETURN jsonb_build_object('balances', read(post.step));
     END IF;
     RETURN jsonb_build_object('balances',
       change('posted', post.step ->> 'id', post.step -> 'accounts', 0, 0, post.step -> 'receipt', NULL));
   END $$;

   CREATE FUNCTION reset(step JSONB, again BOOLEAN) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     key RECORD;
     account accounts;
   BEGIN
     IF again AND EXISTS (SELECT FROM journal WHERE journal.step = 'reset' AND step_id = reset.step ->> 'id') THEN
       RETURN '{}';
     END IF;
     FOR key IN SELECT * FROM jsonb_to_recordset(reset.step -> 'accounts') AS each(scope TEXT, "window" TEXT) LOOP
       SELECT * INTO STRICT account FROM accounts WHERE scope = key.scope AND "window" = key."window";
       INSERT INTO journal (step, step_id, scope, "window", spent_pico_usd, held_pico_usd, unresolved_pico_usd,
           call_count, bound_call_count)
         VALUES ('reset', reset.step ->> 'id', key.scope, key."window", -account.spent_pico_usd, 0, 0,
           -account.call_count, -account.bound_call_count);
       UPDATE accounts SET spent_pico_usd = 0, call_count = 0, bound_call_count = 0
         WHERE scope = key.scope AND "window" = key."window";
       DELETE FROM account_models WHERE scope = key.scope AND "window" = key."window";
     END LOOP;
     RETURN '{}';
   END $$;

   CREATE FUNCTION take_steps(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     steps JSONB := request -> 'steps';
     again BOOLEAN := request ? 'again';
     ids TEXT[] := ARRAY(SELECT step ->> 'id' FROM jsonb_array_elements(steps) AS step
       WHERE step ->> 'do' IN ('settle', 'release', 'writeOff'));
     step JSONB;
     outcome JSONB;
     outcomes JSONB := '[]';
   BEGIN
     PERFORM set_config('lock_timeout', request ->> 'timeoutMs', TRUE);
     PERFORM lock_accounts((SELECT jsonb_agg(key) FROM (
       SELECT jsonb_array_elements(asked -> 'accounts') FROM jsonb_array_elements(steps) AS asked
       UNION ALL
       SELECT jsonb_array_elements(accounts) FROM reservations WHERE id = ANY (ids)
     ) AS keys(key)));
     FOR step IN SELECT value FROM jsonb_array_elements(steps) WITH ORDINALITY ORDER BY ordinality LOOP
       CASE step ->> 'do'
         WHEN 'reserve' THEN outcome := reserve(step);
         WHEN 'markDispatched' THEN outcome := mark_dispatched(step);
         WHEN 'settle' THEN outcome := settle(step, again);
         WHEN 'release' THEN outcome := release(step);
         WHEN 'extend' THEN outcome := extend(step);
         WHEN 'post' THEN outcome := post(step, again);
         WHEN 'reset' THEN outcome := reset(step, again);
         WHEN 'writeOff' THEN outcome := write_off(step);
       END CASE;
       outcomes := outcomes || jsonb_build_array(outcome);
     END LOOP;
     RETURN outcomes;
   END $$;

   CREATE FUNCTION is_due(hold reservations, abandoned_scope TEXT) RETURNS BOOLEAN STABLE LANGUAGE sql AS $$
     SELECT hold.state IN ('held', 'dispatched') AND (hold.lease_ends_at <= clock_timestamp()
       OR hold.accounts @> jsonb_build_array(jsonb_build_object('scope', abandoned_scope)));
   $$;

   CREATE FUNCTION recover(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     abandoned TEXT := request ->> 'abandonedScope';
     due TEXT[] := ARRAY(SELECT id FROM reservations hold
       WHERE state IN ('held', 'dispatched') AND is_due(hold, abandoned));
     hold reservations;
   BEGIN
     PERFORM set_config('lock_timeout', request ->> 'timeoutMs', TRUE);
     PERFORM lock_accounts((SELECT jsonb_agg(key) FROM reservations, jsonb_array_elements(accounts) AS key
       WHERE id = ANY (due)));
     -- Looked at again, each under its lock: its owner may have moved on meanwhile.
     FOR hold IN SELECT * FROM reservations r WHERE id = ANY (due) AND is_due(r, abandoned) ORDER BY ordinal FOR UPDATE
     LOOP
       IF hold.state = 'held' THEN PERFORM move(hold, 'expired', 'lease ran out before dispatch', NULL);
       ELSE PERFORM move(hold, 'unresolved', NULL, NULL);
       END IF;
     END LOOP;
     RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'accounts', accounts,
         'amountPicoUsd', amount_pico_usd::text, 'modelId', model_id) ORDER BY ordinal), '[]')
       FROM reservations WHERE state = 'unresolved');
   END $$;

   -- STABLE: all of it is read as of one moment. Null for an account never used.
   CREATE FUNCTION read(request JSONB) RETURNS JSONB STABLE LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     key RECORD;
     report JSONB;
     reports JSONB := '[]';
   BEGIN
     FOR key IN SELECT * FROM jsonb_to_recordset(request -> 'accounts') AS each(scope TEXT, "window" TEXT) LOOP
       SELECT balance_of(account) || jsonb_build_object('byModel', coalesce(
           (SELECT jsonb_object_agg(model_id, jsonb_build_object('callCount', model.call_count,
               'spentPicoUsd', model.spent_pico_usd::text))
             FROM account_models model WHERE model.scope = key.scope AND model."window" = key."window"), '{}'))
         INTO report FROM accounts account WHERE account.scope = key.scope AND account."window" = key."window";
       reports := reports || jsonb_build_array(report);
     END LOOP;
     RETURN reports;
   END $$;

   -- True for the first claim, and for its repeat by the same claimer.
   CREATE FUNCTION claim(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE first_claimer TEXT;
   BEGIN
     INSERT INTO claims (scope, "window", name, claimed_by)
       VALUES (request ->> 'scope', request ->> 'window', request ->> 'name', request ->> 'claimedBy')
       ON CONFLICT (scope, "window", name) DO UPDATE SET claimed_by = claims.claimed_by
       RETURNING claimed_by INTO first_claimer;
     RETURN to_jsonb(first_claimer = request ->> 'claimedBy');
   END $$;`;
