/** What a ledger calls, one function a round trip. Each finds its tables whatever the connection's search path. */
export const ledgerFunctions = `
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
   END $$;`;
