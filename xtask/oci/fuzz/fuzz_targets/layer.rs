#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| xtask_oci_fuzz::layer::check(data));
