"""PostgreSQL: the pool, the migrations, and one file of queries per table family."""
