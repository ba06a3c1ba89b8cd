//! Row level security: the database itself keeps tenants apart, whatever the SQL says.

mod drift;
mod parallel;
mod rights;
mod roles;
mod routes;
mod stage;
mod statements;
