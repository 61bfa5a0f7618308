-- This instance's ID, and whether it has stored files.
CREATE VIEW instance_info WITH (security_barrier) AS
    SELECT instance.id, EXISTS (SELECT FROM public.file_part) AS has_files FROM public.instance;
