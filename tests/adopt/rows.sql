-- Some rows for the platform: `festivals` festivals, each with `each` of what there are many of.
INSERT INTO countries VALUES ('DE', 'Germany'), ('US', 'United States');
INSERT INTO currencies VALUES ('EUR', 'DE'), ('USD', 'US');
INSERT INTO permissions (name) VALUES ('sell'), ('refund'), ('report');
INSERT INTO users (email, country_code) SELECT n || '@example.org', 'DE' FROM generate_series(1, :each) n;
INSERT INTO devices (user_id, token) SELECT id, md5(email) FROM users;
INSERT INTO migrations (version) VALUES ('1'), ('2');
INSERT INTO artists (name) SELECT 'artist ' || n FROM generate_series(1, 20) n;
INSERT INTO suppliers (name) VALUES ('ice'), ('beer');
INSERT INTO festivals (slug, name, currency_code) SELECT 'f' || n, 'Festival ' || n, 'EUR' FROM generate_series(1, :festivals) n;
INSERT INTO stages (festival_id, name) SELECT id, 'main' FROM festivals;
INSERT INTO slots (stage_id, artist_id, begins, ends) SELECT s.id, a.id, now(), now() + interval '1 hour' FROM stages s, artists a;
INSERT INTO favourites SELECT u.id, s.id FROM (SELECT id FROM users LIMIT 20) u, (SELECT id FROM slots LIMIT 40) s;
INSERT INTO maps (festival_id, title) SELECT id, 'site' FROM festivals;
INSERT INTO pins (map_id, x, y, label) SELECT id, n * 0.1, n / 3.0, 'pin ' || n FROM maps, generate_series(1, 4) n;
INSERT INTO stands (festival_id, name, pin_id) SELECT m.festival_id, 'stand ' || p.label, p.id FROM pins p JOIN maps m ON m.id = p.map_id;
INSERT INTO terminals (stand_id, serial) SELECT id, id::text FROM stands;
INSERT INTO roles (festival_id, name) SELECT id, 'seller' FROM festivals;
INSERT INTO role_permissions SELECT r.id, p.id FROM roles r, permissions p;
INSERT INTO staff (role_id, user_id, stand_id) SELECT r.id, u.id, NULL FROM roles r, (SELECT id FROM users LIMIT 5) u;
INSERT INTO shifts (staff_id, stand_id, begins)
    SELECT f.id, s.id, now() FROM staff f JOIN roles r ON r.id = f.role_id JOIN stands s ON s.festival_id = r.festival_id;
INSERT INTO categories (festival_id, name) SELECT id, 'drinks' FROM festivals;
INSERT INTO products (category_id, name, price) SELECT id, 'drink ' || n, 100 * n FROM categories, generate_series(1, 5) n;
INSERT INTO stand_products SELECT s.id, p.id FROM stands s JOIN categories c ON c.festival_id = s.festival_id JOIN products p ON p.category_id = c.id;
INSERT INTO stock SELECT id, 1000 FROM products;
INSERT INTO deliveries (product_id, supplier_id, pieces) SELECT p.id, s.id, 10 FROM products p, suppliers s;
INSERT INTO wallets (festival_id, user_id, balance) SELECT f.id, u.id, 5000 FROM festivals f, users u;
INSERT INTO bands (wallet_id, chip) SELECT id, id::text FROM wallets;
INSERT INTO top_ups (wallet_id, amount) SELECT id, 5000 FROM wallets;
INSERT INTO payments (top_up_id, provider, reference) SELECT id, 'card', id::text FROM top_ups;
INSERT INTO refunds (payment_id, amount) SELECT id, 1 FROM payments LIMIT 50;
INSERT INTO orders (wallet_id, stand_id, state, total, touched_at)
    SELECT w.id, (SELECT id FROM stands s WHERE s.festival_id = w.festival_id LIMIT 1), 'paid', 100, '2020-01-01' FROM wallets w;
INSERT INTO order_lines SELECT o.id, 1, p.id, 1, 100 FROM orders o JOIN LATERAL (
    SELECT p.id FROM products p JOIN categories c ON c.id = p.category_id JOIN wallets w ON w.festival_id = c.festival_id
    WHERE w.id = o.wallet_id LIMIT 1) p ON true;
INSERT INTO transactions (wallet_id, order_id, amount) SELECT wallet_id, id, -100 FROM orders;
INSERT INTO ticket_kinds (festival_id, name, price) SELECT id, 'weekend', 9900 FROM festivals;
INSERT INTO tickets (kind_id, user_id, code) SELECT k.id, u.id, k.id || ' ' || u.id FROM ticket_kinds k, users u;
INSERT INTO scans (ticket_id, gate) SELECT id, 'north' FROM tickets;
INSERT INTO notifications (festival_id, user_id, via, text) SELECT f.id, u.id, 'push', 'hello' FROM festivals f, (SELECT id FROM users LIMIT 50) u;
INSERT INTO surveys (festival_id, question) SELECT id, 'again?' FROM festivals;
INSERT INTO answers SELECT s.id, u.id, 4.5 FROM surveys s, (SELECT id FROM users LIMIT 50) u;
INSERT INTO audit_logs (staff_id, what, details) SELECT id, 'sold', '{"pieces": 1}' FROM staff;
ANALYZE;
