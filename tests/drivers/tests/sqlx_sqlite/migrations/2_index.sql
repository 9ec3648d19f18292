CREATE INDEX customers_by_id ON customers (id);
