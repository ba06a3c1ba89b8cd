-- A platform for festivals as it has grown in years on one server: keys of one uuid, and few tables that say whose their rows are.
CREATE TYPE order_state AS ENUM ('open', 'paid', 'refunded');
CREATE TYPE channel AS ENUM ('mail', 'push');
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);

CREATE TABLE countries (code char(2) PRIMARY KEY, name text NOT NULL);
CREATE TABLE currencies (code char(3) PRIMARY KEY, country_code char(2) NOT NULL REFERENCES countries);
CREATE TABLE permissions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL UNIQUE);
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE, country_code char(2) REFERENCES countries,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE, token text NOT NULL);
CREATE TABLE migrations (version text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());

CREATE TABLE festivals (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text NOT NULL UNIQUE, name text NOT NULL,
    currency_code char(3) NOT NULL REFERENCES currencies
);
CREATE TABLE stages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL, UNIQUE (festival_id, name));
CREATE TABLE artists (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE slots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), stage_id uuid NOT NULL REFERENCES stages, artist_id uuid NOT NULL REFERENCES artists,
    begins timestamptz NOT NULL, ends timestamptz NOT NULL, CHECK (ends > begins)
);
CREATE TABLE favourites (
    user_id uuid NOT NULL REFERENCES users, slot_id uuid NOT NULL REFERENCES slots ON DELETE CASCADE, PRIMARY KEY (user_id, slot_id)
);
CREATE TABLE maps (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, title text NOT NULL, image bytea);
CREATE TABLE pins (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), map_id uuid NOT NULL REFERENCES maps ON DELETE CASCADE, x double precision NOT NULL,
    y double precision NOT NULL, label text
);
CREATE TABLE stands (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL,
    pin_id uuid REFERENCES pins ON DELETE SET NULL
);
CREATE TABLE terminals (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), stand_id uuid NOT NULL REFERENCES stands, serial text NOT NULL UNIQUE);
CREATE TABLE roles (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL);
CREATE TABLE role_permissions (
    role_id uuid NOT NULL REFERENCES roles ON DELETE CASCADE, permission_id uuid NOT NULL REFERENCES permissions,
    PRIMARY KEY (role_id, permission_id)
);
CREATE TABLE staff (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), role_id uuid NOT NULL REFERENCES roles, user_id uuid NOT NULL REFERENCES users,
    stand_id uuid REFERENCES stands, manager_id uuid REFERENCES staff
);
CREATE TABLE shifts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), staff_id uuid NOT NULL REFERENCES staff, stand_id uuid NOT NULL REFERENCES stands,
    begins timestamptz NOT NULL
);
CREATE TABLE categories (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL);
CREATE TABLE products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), category_id uuid NOT NULL REFERENCES categories, name text NOT NULL, price cents NOT NULL,
    tags text[] NOT NULL DEFAULT '{}', attributes jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE stand_products (
    stand_id uuid NOT NULL REFERENCES stands, product_id uuid NOT NULL REFERENCES products, PRIMARY KEY (stand_id, product_id)
);
CREATE TABLE stock (
    product_id uuid PRIMARY KEY REFERENCES products, pieces integer NOT NULL CHECK (pieces >= 0)
);
CREATE TABLE suppliers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), product_id uuid NOT NULL REFERENCES products, supplier_id uuid NOT NULL REFERENCES suppliers,
    pieces integer NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE wallets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, user_id uuid NOT NULL REFERENCES users,
    balance bigint NOT NULL DEFAULT 0
);
CREATE TABLE bands (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), wallet_id uuid NOT NULL REFERENCES wallets, chip text NOT NULL UNIQUE,
    replaces_id uuid REFERENCES bands ON DELETE SET NULL
);
CREATE TABLE top_ups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), wallet_id uuid NOT NULL REFERENCES wallets, amount cents NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), wallet_id uuid NOT NULL REFERENCES wallets, stand_id uuid NOT NULL REFERENCES stands,
    state order_state NOT NULL DEFAULT 'open', total cents NOT NULL DEFAULT 0, touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_by_wallet ON orders (wallet_id, state);
CREATE TABLE order_lines (
    order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE, number integer NOT NULL, product_id uuid NOT NULL REFERENCES products,
    pieces integer NOT NULL, price cents NOT NULL, PRIMARY KEY (order_id, number)
);
CREATE TABLE transactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, wallet_id uuid NOT NULL REFERENCES wallets, order_id uuid REFERENCES orders,
    amount bigint NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE payments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), top_up_id uuid NOT NULL UNIQUE REFERENCES top_ups, provider text NOT NULL,
    reference text NOT NULL
);
CREATE UNIQUE INDEX payments_by_reference ON payments (provider, lower(reference)) WHERE reference <> '';
CREATE TABLE refunds (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), payment_id uuid NOT NULL REFERENCES payments, amount cents NOT NULL);
CREATE TABLE ticket_kinds (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL, price cents NOT NULL
);
CREATE TABLE tickets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), kind_id uuid NOT NULL REFERENCES ticket_kinds, user_id uuid NOT NULL REFERENCES users,
    code text NOT NULL UNIQUE
);
CREATE TABLE scans (ticket_id uuid NOT NULL REFERENCES tickets, gate text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE notifications (
    id bigserial PRIMARY KEY, festival_id uuid NOT NULL REFERENCES festivals, user_id uuid NOT NULL REFERENCES users, via channel NOT NULL,
    text text NOT NULL, at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE surveys (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, question text NOT NULL);
CREATE TABLE answers (
    survey_id uuid NOT NULL REFERENCES surveys ON DELETE CASCADE, user_id uuid NOT NULL REFERENCES users, rating numeric(3, 1) NOT NULL,
    PRIMARY KEY (survey_id, user_id)
);
CREATE TABLE audit_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), staff_id uuid NOT NULL REFERENCES staff, what text NOT NULL, details jsonb,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched_at := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW sales AS SELECT s.festival_id, s.name, sum(o.total) AS total FROM orders o JOIN stands s ON s.id = o.stand_id GROUP BY 1, 2;
