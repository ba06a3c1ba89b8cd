-- How many statements of each tenant this node had, as one JSON array.
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
    'colocation', t.colocation_id,
    'tenant', t.tenant_attribute,
    'queries', t.query_count_in_this_period + t.query_count_in_last_period,
    'cpu', t.cpu_usage_in_this_period + t.cpu_usage_in_last_period
)), '[]')
FROM pg_catalog.citus_stat_tenants_local t WHERE t.tenant_attribute IS NOT NULL
