CREATE TABLE accounts (
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     spent_pico_usd NUMERIC(38, 0) NOT NULL DEFAULT 0 CHECK (spent_pico_usd >= 0),
     held_pico_usd NUMERIC(38, 0) NOT NULL DEFAULT 0 CHECK (held_pico_usd >= 0),
     unresolved_pico_usd NUMERIC(38, 0) NOT NULL DEFAULT 0 CHECK (unresolved_pico_usd >= 0),
     call_count BIGINT NOT NULL DEFAULT 0,
     bound_call_count BIGINT NOT NULL DEFAULT 0,
     PRIMARY KEY (scope, "window")
   ) WITH (fillfactor = 50);
   CREATE TABLE account_models (
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     model_id TEXT COLLATE "C" NOT NULL,
     call_count BIGINT NOT NULL,
     spent_pico_usd NUMERIC(38, 0) NOT NULL,
     PRIMARY KEY (scope, "window", model_id)
   ) WITH (fillfactor = 50);
   CREATE TABLE claims (
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     name TEXT COLLATE "C" NOT NULL,
     claimed_by TEXT NOT NULL,
     PRIMARY KEY (scope, "window", name)
   );
   CREATE TABLE reservations (
     id TEXT COLLATE "C" PRIMARY KEY,
     ordinal BIGINT GENERATED ALWAYS AS IDENTITY,
     state TEXT NOT NULL,
     accounts JSONB NOT NULL,
     amount_pico_usd NUMERIC(38, 0) NOT NULL,
     reserved_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
     lease_ends_at TIMESTAMPTZ NOT NULL,
     model_id TEXT,
     price_book TEXT,
     cost_pico_usd NUMERIC(38, 0),
     kind TEXT,
     served_model_id TEXT,
     bound_breached BOOLEAN NOT NULL DEFAULT FALSE,
     usage JSONB,
     evidence TEXT
   );
   CREATE INDEX open_reservations ON reservations (state) WHERE state IN ('held', 'dispatched', 'unresolved');
   CREATE TABLE journal (
     entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     written_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('settled', 'posted', 'reset')),
     amount_pico_usd NUMERIC(38, 0) NOT NULL,
     call_count BIGINT NOT NULL,
     bound_call_count BIGINT NOT NULL,
     reservation_id TEXT,
     step_id TEXT,
     model_id TEXT
   );
   CREATE INDEX unreserved_entries ON journal (step_id) WHERE step_id IS NOT NULL;
   CREATE FUNCTION keep_journal() RETURNS TRIGGER LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'the journal is append-only';
   END $$;
   CREATE TRIGGER journal_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON journal EXECUTE FUNCTION keep_journal();
   
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
   END $$;

   CREATE FUNCTION open_of(hold reservations) RETURNS JSONB STABLE LANGUAGE sql AS $$
     SELECT jsonb_build_object(
       'id', hold.id, 'state', hold.state, 'accounts', hold.accounts, 'amountPicoUsd', hold.amount_pico_usd::text,
       'modelId', hold.model_id, 'reservedAtMs', floor(extract(epoch FROM hold.reserved_at) * 1000)::bigint);
   $$;

   CREATE FUNCTION is_due(hold reservations, abandoned_scope TEXT) RETURNS BOOLEAN STABLE LANGUAGE sql AS $$
     SELECT hold.state IN ('held', 'dispatched') AND (hold.lease_ends_at <= clock_timestamp()
       OR hold.accounts @> jsonb_build_array(jsonb_build_object('scope', abandoned_scope)));
   $$;

   -- Each account is changed once, by the sum of what moves in it, however many reservations are sorted out.
   CREATE FUNCTION recover(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     abandoned TEXT := request ->> 'abandonedScope';
     due TEXT[] := ARRAY(SELECT id FROM reservations hold
       WHERE state IN ('held', 'dispatched') AND is_due(hold, abandoned));
     total RECORD;
   BEGIN
     PERFORM set_config('lock_timeout', request ->> 'lockTimeoutMs', TRUE);
     PERFORM lock_accounts((SELECT jsonb_agg(DISTINCT key) FROM reservations, jsonb_array_elements(accounts) AS key
       WHERE id = ANY (due)));
     -- Looked at again, each under its lock: its owner may have moved on meanwhile.
     FOR total IN
       WITH moved AS (
         UPDATE reservations r SET
           evidence = CASE r.state WHEN 'held' THEN 'lease ran out before dispatch' END,
           state = CASE r.state WHEN 'held' THEN 'expired' ELSE 'unresolved' END
         WHERE id = ANY (due) AND is_due(r, abandoned) RETURNING state, accounts, amount_pico_usd
       )
       SELECT key, sum(amount_pico_usd) AS held,
         coalesce(sum(amount_pico_usd) FILTER (WHERE state = 'unresolved'), 0) AS unresolved
       FROM moved, jsonb_array_elements(moved.accounts) AS key GROUP BY key
     LOOP
       PERFORM change(jsonb_build_array(total.key), -total.held, total.unresolved, NULL);
     END LOOP;
     RETURN (SELECT coalesce(jsonb_agg(open_of(r) ORDER BY ordinal), '[]') FROM reservations r WHERE state = 'unresolved');
   END $$;

   CREATE FUNCTION models_of(account accounts) RETURNS JSONB STABLE LANGUAGE sql AS $$
     SELECT coalesce(jsonb_object_agg(model_id,
         jsonb_build_object('callCount', call_count, 'spentPicoUsd', spent_pico_usd::text)), '{}')
       FROM account_models WHERE scope = account.scope AND "window" = account."window";
   $$;

   -- STABLE: all of it is read as of one moment. Null for an account never used.
   CREATE FUNCTION read(request JSONB) RETURNS JSONB STABLE LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     key RECORD;
     report JSONB;
     reports JSONB := '[]';
   BEGIN
     FOR key IN SELECT * FROM jsonb_to_recordset(request -> 'accounts') AS each(scope TEXT, "window" TEXT) LOOP
       SELECT balance_of(a) || jsonb_build_object('byModel', models_of(a)) INTO report
         FROM accounts a WHERE scope = key.scope AND "window" = key."window";
       reports := reports || jsonb_build_array(report);
     END LOOP;
     RETURN reports;
   END $$;

   CREATE FUNCTION inspect(request JSONB) RETURNS JSONB STABLE LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     at_ms BIGINT := now_ms();
     scopes JSONB := request -> 'scopes';
   BEGIN
     RETURN jsonb_build_object('atMs', at_ms, 'accounts', (
       WITH open AS (
         SELECT key ->> 'scope' AS scope, key ->> 'window' AS "window"
           FROM reservations, jsonb_array_elements(accounts) AS key WHERE state IN ('held', 'dispatched', 'unresolved')
       ), known AS (
         SELECT scope, "window" FROM accounts UNION SELECT scope, "window" FROM journal UNION SELECT * FROM open
       ), sums AS (
         SELECT scope, "window", sum(amount_pico_usd) AS spent, sum(call_count) AS calls, sum(bound_call_count) AS bound
           FROM journal WHERE scopes IS NULL OR scopes ? scope GROUP BY scope, "window"
       )
       SELECT coalesce(jsonb_agg(balance_of(a) || jsonb_build_object(
           'scope', scope,
           'window', "window",
           'byModel', models_of(a),
           'journal', jsonb_build_object(
             'spentPicoUsd', coalesce(sums.spent, 0)::text,
             'callCount', coalesce(sums.calls, 0),
             'boundCallCount', coalesce(sums.bound, 0)))
           ORDER BY scope, "window"), '[]')
         FROM known LEFT JOIN accounts a USING (scope, "window") LEFT JOIN sums USING (scope, "window")
         WHERE scopes IS NULL OR scopes ? scope
     ), 'open', (
       SELECT coalesce(jsonb_agg(open_of(r) ORDER BY ordinal), '[]') FROM reservations r
         WHERE state IN ('held', 'dispatched', 'unresolved') AND (scopes IS NULL
           OR EXISTS (SELECT FROM jsonb_array_elements(accounts) AS key WHERE scopes ? (key ->> 'scope')))
     ));
   END $$;

   CREATE FUNCTION now(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   BEGIN
     RETURN to_jsonb(now_ms());
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
   END $$;
