CREATE TABLE ledger_schema (version INTEGER NOT NULL) STRICT;

CREATE TABLE accounts (
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     spent_pico_usd INTEGER NOT NULL,
     held_pico_usd INTEGER NOT NULL,
     unresolved_pico_usd INTEGER NOT NULL,
     call_count INTEGER NOT NULL,
     bound_call_count INTEGER NOT NULL,
     PRIMARY KEY (scope, window)
   ) STRICT, WITHOUT ROWID;

CREATE TABLE account_models (
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     model_id TEXT NOT NULL,
     call_count INTEGER NOT NULL,
     spent_pico_usd INTEGER NOT NULL,
     PRIMARY KEY (scope, window, model_id)
   ) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     name TEXT NOT NULL,
     PRIMARY KEY (scope, window, name)
   ) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
     id TEXT PRIMARY KEY,
     state TEXT NOT NULL,
     accounts TEXT NOT NULL,
     amount_pico_usd INTEGER NOT NULL,
     lease_ends_at_ms INTEGER NOT NULL,
     model_id TEXT,
     price_book TEXT,
     cost_pico_usd INTEGER,
     kind TEXT,
     served_model_id TEXT,
     bound_breached INTEGER NOT NULL DEFAULT 0,
     usage TEXT,
     evidence TEXT
   ) STRICT;

CREATE INDEX open_reservations ON reservations (state) WHERE state IN ('held', 'dispatched', 'unresolved');
