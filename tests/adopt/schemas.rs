//! Databases that nobody has designed for Citus, with a few rows.

/// A platform for festivals: keys of one column, and few tables that say whose their rows are.
pub const FESTIVALS: &str = "
    CREATE TYPE ticket_state AS ENUM ('sold', 'used');
    CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
    CREATE TABLE festivals (id uuid PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL);
    CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE, country text REFERENCES countries);
    CREATE TABLE sessions (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE);
    CREATE TABLE stands (id uuid PRIMARY KEY, festival_id uuid NOT NULL REFERENCES festivals, name text NOT NULL);
    CREATE TABLE staff (id uuid PRIMARY KEY, stand_id uuid NOT NULL REFERENCES stands, user_id uuid NOT NULL REFERENCES users);
    CREATE TABLE shifts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        staff_id uuid NOT NULL REFERENCES staff,
        stand_id uuid NOT NULL REFERENCES stands,
        begins timestamptz NOT NULL
    );
    CREATE TABLE tickets (
        id uuid PRIMARY KEY, festival_id uuid NOT NULL REFERENCES festivals, user_id uuid NOT NULL REFERENCES users,
        state ticket_state NOT NULL, UNIQUE (festival_id, user_id)
    );
    CREATE TABLE scans (ticket_id uuid NOT NULL REFERENCES tickets, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE scans_2026 PARTITION OF scans FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE audit (id bigserial PRIMARY KEY, festival_id uuid REFERENCES festivals, what text NOT NULL);
    CREATE TABLE notes (id uuid PRIMARY KEY, stand_id uuid NOT NULL, text text NOT NULL);
    CREATE TABLE friends (id uuid PRIMARY KEY, stand_id uuid REFERENCES stands);
    CREATE TABLE greetings (id uuid PRIMARY KEY, friend_id uuid NOT NULL REFERENCES friends);
    CREATE TABLE migrations (version text PRIMARY KEY);
    CREATE VIEW sold AS SELECT festival_id, count(*) FROM tickets GROUP BY 1;

    INSERT INTO festivals SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'f' || n, 'F' || n FROM generate_series(1, 2) n;
    INSERT INTO users SELECT ('10000000-0000-0000-0000-00000000000' || n)::uuid, n || '@example.org' FROM generate_series(1, 4) n;
    INSERT INTO stands SELECT ('20000000-0000-0000-0000-00000000000' || n)::uuid,
        ('00000000-0000-0000-0000-00000000000' || 1 + n % 2)::uuid, 'S' || n FROM generate_series(1, 4) n;
    INSERT INTO staff SELECT ('30000000-0000-0000-0000-00000000000' || n)::uuid,
        ('20000000-0000-0000-0000-00000000000' || n)::uuid, ('10000000-0000-0000-0000-00000000000' || n)::uuid
        FROM generate_series(1, 4) n;
    -- The last two at a stand of another festival.
    INSERT INTO shifts (staff_id, stand_id, begins) SELECT ('30000000-0000-0000-0000-00000000000' || n)::uuid,
        ('20000000-0000-0000-0000-00000000000' || CASE WHEN n > 2 THEN 1 + n % 4 ELSE n END)::uuid, now() FROM generate_series(1, 4) n;
    INSERT INTO audit (festival_id, what) VALUES ('00000000-0000-0000-0000-000000000001', 'a'), (NULL, 'b'), (NULL, 'c');
    INSERT INTO friends SELECT ('40000000-0000-0000-0000-00000000000' || n)::uuid,
        CASE WHEN n = 1 THEN '20000000-0000-0000-0000-000000000001'::uuid END FROM generate_series(1, 3) n;
";

/// As TPC-C has it: keys of several columns, which begin with the warehouse, under another name in each table.
pub const WAREHOUSES: &str = "
    CREATE TABLE warehouse (w_id int PRIMARY KEY, w_name text);
    CREATE TABLE item (i_id int PRIMARY KEY);
    CREATE TABLE district (d_w_id int REFERENCES warehouse, d_id int, PRIMARY KEY (d_w_id, d_id));
    CREATE TABLE customer (
        c_w_id int, c_d_id int, c_id int, PRIMARY KEY (c_w_id, c_d_id, c_id), FOREIGN KEY (c_w_id, c_d_id) REFERENCES district
    );
    CREATE TABLE history (
        h_c_id int NOT NULL, h_c_d_id int NOT NULL, h_c_w_id int NOT NULL, h_d_id int NOT NULL, h_w_id int NOT NULL,
        CONSTRAINT customer_of_history FOREIGN KEY (h_c_w_id, h_c_d_id, h_c_id) REFERENCES customer, FOREIGN KEY (h_w_id, h_d_id) REFERENCES district
    );
    CREATE TABLE stock (s_w_id int REFERENCES warehouse, s_i_id int REFERENCES item, PRIMARY KEY (s_w_id, s_i_id));
    CREATE TABLE orders (
        o_w_id int, o_d_id int, o_id int, o_c_id int NOT NULL, PRIMARY KEY (o_w_id, o_d_id, o_id),
        FOREIGN KEY (o_w_id, o_d_id, o_c_id) REFERENCES customer
    );
    CREATE TABLE order_line (
        ol_w_id int, ol_d_id int, ol_o_id int, ol_number int, ol_i_id int NOT NULL, ol_supply_w_id int NOT NULL,
        PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number), FOREIGN KEY (ol_w_id, ol_d_id, ol_o_id) REFERENCES orders,
        CONSTRAINT goods_of_order_line FOREIGN KEY (ol_supply_w_id, ol_i_id) REFERENCES stock
    );
    INSERT INTO warehouse VALUES (1), (2);
    INSERT INTO item VALUES (7);
    INSERT INTO district VALUES (1, 1), (2, 1);
    INSERT INTO customer VALUES (1, 1, 1), (2, 1, 1);
    -- The second one pays elsewhere than at home.
    INSERT INTO history VALUES (1, 1, 1, 1, 1), (1, 1, 2, 1, 1);
    INSERT INTO stock VALUES (1, 7), (2, 7);
    INSERT INTO orders VALUES (1, 1, 1, 1);
    INSERT INTO order_line VALUES (1, 1, 1, 1, 7, 1), (1, 1, 1, 2, 7, 2), (1, 1, 1, 3, 7, 2);
";

/// What a plan says of a table, and what it says with this answer.
pub fn entry(plan: &str, name: &str, class: &str) -> (String, String) {
    let from = plan.find(&format!("[tables.\"{name}\"]")).unwrap();
    let to = plan[from..].find("\n\n").map_or(plan.len(), |at| from + at);
    (plan[from..to].to_owned(), format!("[tables.\"{name}\"]\n{class}"))
}

/// The plan of the festivals' platform, with an answer for each question.
pub fn answered(plan: &str) -> String {
    let answers = [
        entry(plan, "friends", "class = \"reference\""),
        entry(plan, "notes", "class = \"tenant\"\nthrough = [\"stand_id\"]"),
        entry(plan, "audit", "class = \"local\""),
        entry(plan, "sessions", "class = \"reference\""),
    ];
    answers.iter().fold(plan.to_owned(), |plan, (from, to)| plan.replace(from, to))
}
