//! Row level security: the database itself keeps tenants apart, whatever the SQL says.

mod drift;
mod parallel;
mod rights;
mod roles;
mod routes;
pub mod stage;
mod statements;
