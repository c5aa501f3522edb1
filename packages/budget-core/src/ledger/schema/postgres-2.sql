
   -- Open reservations in the order in which they were made, so that a page begins where the last one ended.
   DROP INDEX open_reservations;
   CREATE INDEX open_reservations ON reservations (ordinal) WHERE state IN ('held', 'dispatched', 'unresolved');

   CREATE FUNCTION unresolved_page(request JSONB) RETURNS JSONB STABLE LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   BEGIN
     RETURN (SELECT coalesce(jsonb_agg(open_of(r) || jsonb_build_object('ordinal', ordinal) ORDER BY ordinal), '[]')
       FROM (SELECT * FROM reservations
         WHERE state = 'unresolved' AND ordinal > (request ->> 'after')::bigint
         ORDER BY ordinal LIMIT (request ->> 'unresolvedAtOnce')::int) AS r);
   END $$;

   -- Sorts out a page of what is due. Tells where it ended where there may be more, or else the first unresolved ones. Each
   -- account is changed once, by the sum of what moves in it.
   CREATE FUNCTION recover_page(request JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     at_once INT := request ->> 'recoveredAtOnce';
     abandoned JSONB := jsonb_build_array(jsonb_build_object('scope', request ->> 'abandonedScope'));
     started_at TIMESTAMPTZ := clock_timestamp();
     due TEXT[];
     last BIGINT;
     total RECORD;
   BEGIN
     PERFORM set_config('lock_timeout', request ->> 'lockTimeoutMs', TRUE);
     SELECT array_agg(id), CASE WHEN count(*) = at_once THEN max(ordinal) END INTO due, last
       FROM (SELECT id, ordinal FROM reservations
         WHERE ordinal > (request ->> 'after')::bigint AND state IN ('held', 'dispatched')
           AND (lease_ends_at <= started_at OR accounts @> abandoned)
         ORDER BY ordinal LIMIT at_once) AS page;
     PERFORM lock_accounts((SELECT jsonb_agg(DISTINCT key) FROM reservations, jsonb_array_elements(accounts) AS key
       WHERE id = ANY (due)));
     -- Looked at again, each under its lock: its owner, or another recovery, may have moved on meanwhile.
     FOR total IN
       WITH moved AS (
         UPDATE reservations SET
           evidence = CASE state WHEN 'held' THEN 'lease ran out before dispatch' END,
           state = CASE state WHEN 'held' THEN 'expired' ELSE 'unresolved' END
         WHERE id = ANY (due) AND state IN ('held', 'dispatched')
           AND (lease_ends_at <= started_at OR accounts @> abandoned)
         RETURNING state, accounts, amount_pico_usd
       )
       SELECT key, sum(amount_pico_usd) AS held,
         coalesce(sum(amount_pico_usd) FILTER (WHERE state = 'unresolved'), 0) AS unresolved
       FROM moved, jsonb_array_elements(moved.accounts) AS key GROUP BY key
     LOOP
       PERFORM change(jsonb_build_array(total.key), -total.held, total.unresolved, NULL);
     END LOOP;
     IF last IS NOT NULL THEN RETURN jsonb_build_object('after', last); END IF;
     RETURN jsonb_build_object('unresolved', unresolved_page(request || '{"after": 0}'));
   END $$;
