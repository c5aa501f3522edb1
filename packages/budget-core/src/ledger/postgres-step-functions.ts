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
   -- All zero for no account.
   CREATE FUNCTION balance_of(account accounts) RETURNS JSONB STABLE LANGUAGE sql AS $$
     SELECT jsonb_build_object(
       'scope', account.scope,
       'window', account."window",
       'spentPicoUsd', coalesce(account.spent_pico_usd, 0)::text,
       'heldPicoUsd', coalesce(account.held_pico_usd, 0)::text,
       'unresolvedPicoUsd', coalesce(account.unresolved_pico_usd, 0)::text,
       'callCount', coalesce(account.call_count, 0),
       'boundCallCount', coalesce(account.bound_call_count, 0));
   $$;

   -- The store's clock.
   CREATE FUNCTION now_ms() RETURNS BIGINT VOLATILE LANGUAGE sql AS $$
     SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint;
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

   -- The entry of a call's cost in the journal, but for its account.
   CREATE FUNCTION entry_of(entry_kind TEXT, receipt JSONB, asked_model_id TEXT) RETURNS journal LANGUAGE plpgsql AS $$
   DECLARE entry journal;
   BEGIN
     entry.kind := entry_kind;
     entry.amount_pico_usd := receipt ->> 'costPicoUsd';
     entry.call_count := 1;
     entry.bound_call_count := CASE WHEN receipt ->> 'kind' = 'bound' THEN 1 ELSE 0 END;
     entry.model_id := coalesce(receipt ->> 'modelId', asked_model_id, 'unknown');
     RETURN entry;
   END $$;

   -- The only writer of balances: what is spent changes by an entry in the journal, or not at all. Returns the balances.
   CREATE FUNCTION change(keys JSONB, held NUMERIC, unresolved NUMERIC, entry journal) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     key RECORD;
     account accounts;
     balances JSONB := '[]';
   BEGIN
     FOR key IN SELECT * FROM jsonb_to_recordset(keys) AS each(scope TEXT, "window" TEXT) LOOP
       UPDATE accounts SET
         spent_pico_usd = spent_pico_usd + coalesce(entry.amount_pico_usd, 0),
         held_pico_usd = held_pico_usd + held,
         unresolved_pico_usd = unresolved_pico_usd + unresolved,
         call_count = accounts.call_count + coalesce(entry.call_count, 0),
         bound_call_count = accounts.bound_call_count + coalesce(entry.bound_call_count, 0)
       WHERE scope = key.scope AND "window" = key."window" RETURNING * INTO STRICT account;
       balances := balances || balance_of(account);
       CONTINUE WHEN entry.kind IS NULL;
       INSERT INTO journal (scope, "window", kind, amount_pico_usd, call_count, bound_call_count, reservation_id,
           step_id, model_id)
         VALUES (key.scope, key."window", entry.kind, entry.amount_pico_usd, entry.call_count, entry.bound_call_count,
           entry.reservation_id, entry.step_id, entry.model_id);
       CONTINUE WHEN entry.model_id IS NULL;
       INSERT INTO account_models (scope, "window", model_id, call_count, spent_pico_usd)
         VALUES (key.scope, key."window", entry.model_id, 1, entry.amount_pico_usd)
         ON CONFLICT (scope, "window", model_id) DO UPDATE SET
           call_count = account_models.call_count + 1,
           spent_pico_usd = account_models.spent_pico_usd + excluded.spent_pico_usd;
     END LOOP;
     RETURN balances;
   END $$;

   -- Ends a reservation without cost.
   CREATE FUNCTION finish(hold reservations, end_state TEXT, why TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
   BEGIN
     UPDATE reservations SET state = end_state, evidence = why WHERE id = hold.id;
     PERFORM change(hold.accounts,
       CASE WHEN hold.state = 'unresolved' THEN 0 ELSE -hold.amount_pico_usd END,
       CASE WHEN hold.state = 'unresolved' THEN -hold.amount_pico_usd ELSE 0 END,
       NULL);
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
         RETURN jsonb_build_object('admitted', TRUE, 'atMs', now_ms());
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
     IF lacking <> '[]' THEN RETURN jsonb_build_object('admitted', FALSE, 'atMs', now_ms(), 'lacking', lacking); END IF;

     PERFORM change(step -> 'accounts', amount, 0, NULL);
     INSERT INTO reservations (id, state, accounts, amount_pico_usd, lease_ends_at, model_id, price_book)
       VALUES (step ->> 'id', 'held', step -> 'accounts', amount,
         clock_timestamp() + (step ->> 'leaseMs')::float8 * INTERVAL '1 ms', step ->> 'modelId', step ->> 'priceBook');
     RETURN jsonb_build_object('admitted', TRUE, 'atMs', now_ms());
   END $$;

   CREATE FUNCTION mark_dispatched(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE hold reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state = 'held' THEN UPDATE reservations SET state = 'dispatched' WHERE id = hold.id; END IF;
     RETURN CASE WHEN hold.state IN ('held', 'dispatched') THEN '{}' ELSE jsonb_build_object('state', hold.state) END;
   END $$;

   CREATE FUNCTION settle(step JSONB, again BOOLEAN) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     receipt JSONB := step -> 'receipt';
     hold reservations;
     entry journal;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state = 'settled' THEN
       -- Who asks again because the first answer was lost still wants that answer.
       RETURN jsonb_build_object('balances', CASE
         WHEN again THEN read(jsonb_build_object('accounts', hold.accounts)) ELSE '[]' END);
     END IF;
     IF hold.state IS NULL OR hold.state NOT IN ('dispatched', 'unresolved') THEN
       RETURN jsonb_build_object('state', hold.state);
     END IF;
     UPDATE reservations SET
       state = 'settled',
       cost_pico_usd = (receipt ->> 'costPicoUsd')::numeric,
       kind = receipt ->> 'kind',
       served_model_id = receipt ->> 'modelId',
       bound_breached = coalesce((receipt ->> 'boundBreached')::boolean, FALSE),
       usage = receipt -> 'usage'
     WHERE id = hold.id;
     entry := entry_of('settled', receipt, hold.model_id);
     entry.reservation_id := hold.id;
     RETURN jsonb_build_object('balances', change(hold.accounts,
       CASE WHEN hold.state = 'unresolved' THEN 0 ELSE -hold.amount_pico_usd END,
       CASE WHEN hold.state = 'unresolved' THEN -hold.amount_pico_usd ELSE 0 END,
       entry));
   END $$;

   CREATE FUNCTION release(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE hold reservations;
   BEGIN
     SELECT * INTO hold FROM reservations WHERE id = step ->> 'id' FOR UPDATE;
     IF hold.state = 'released' THEN RETURN '{}'; END IF;
     IF hold.state = 'held' OR (hold.state = 'dispatched' AND step ? 'evidence') THEN
       PERFORM finish(hold, 'released', step ->> 'evidence');
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
     IF hold.state = 'unresolved' THEN PERFORM finish(hold, 'writtenOff', step ->> 'evidence'); END IF;
     RETURN CASE WHEN hold.state IN ('unresolved', 'writtenOff') THEN '{}' ELSE jsonb_build_object('state', hold.state) END;
   END $$;

   -- A repeat may come before the first, whose connection was lost while it waited for the locks.
   CREATE FUNCTION post(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE entry journal := entry_of('posted', step -> 'receipt', NULL);
   BEGIN
     IF EXISTS (SELECT FROM journal WHERE step_id = step ->> 'id') THEN
       RETURN jsonb_build_object('balances', read(step));
     END IF;
     entry.step_id := step ->> 'id';
     RETURN jsonb_build_object('balances', change(step -> 'accounts', 0, 0, entry));
   END $$;

   CREATE FUNCTION reset(step JSONB) RETURNS JSONB LANGUAGE plpgsql AS $$
   DECLARE
     key JSONB;
     entry journal;
   BEGIN
     IF EXISTS (SELECT FROM journal WHERE step_id = step ->> 'id') THEN RETURN '{}'; END IF;
     entry.kind := 'reset';
     entry.step_id := step ->> 'id';
     FOR key IN SELECT value FROM jsonb_array_elements(step -> 'accounts') LOOP
       SELECT -spent_pico_usd, -call_count, -bound_call_count
         INTO STRICT entry.amount_pico_usd, entry.call_count, entry.bound_call_count
         FROM accounts WHERE scope = key ->> 'scope' AND "window" = key ->> 'window';
       PERFORM change(jsonb_build_array(key), 0, 0, entry);
       DELETE FROM account_models WHERE scope = key ->> 'scope' AND "window" = key ->> 'window';
     END LOOP;
     RETURN '{}';
   END $$;`;
