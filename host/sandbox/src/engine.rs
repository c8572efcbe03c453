//! The one engine, and which WebAssembly it takes.

use wasmtime::wasmparser::WasmFeatures;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
};

use crate::error::SandboxError;
use crate::limits::{
    GuestLimits, MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES, STACK_BYTES,
};

/// Memory of a place in the pool that stays mapped between batches, and is zeroed by hand. Giving it back to the
/// kernel instead costs a page fault for every page of the next batch, about as much as the formatting itself. Only
/// pages that were touched count.
const KEEP_RESIDENT_BYTES: usize = 16 << 20;

/// The proposals that a formatter may use: what ordinary toolchains emit. An allow list, so that what a later engine
/// switches on by itself stays off until someone has looked at it.
const ALLOWED: WasmFeatures = WasmFeatures::WASM2
    // The name says it all: `externref` and the like need a garbage collector, and none is compiled in.
    .difference(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::LIME1.difference(WasmFeatures::GC_TYPES))
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);

/// An engine with a pool of `slots` places, or without a pool where the machine does not allow one.
pub(crate) fn build(slots: usize) -> Result<Engine, SandboxError> {
    let mut config = config();
    config.allocation_strategy(pool(slots));
    match Engine::new(&config) {
        Ok(engine) => return Ok(engine),
        Err(error) => tracing::warn!(
            slots,
            error = %format!("{error:#}"),
            "no memory pool for formatters, each batch allocates its own: formatting is slower; \
             raise the address-space limit (`ulimit -v`) or lower the number of formatting threads"
        ),
    }
    build_adjusted(|_| ())
}

/// An engine without a pool, after `adjust` has had its way with the settings.
pub(crate) fn build_adjusted(adjust: impl FnOnce(&mut Config)) -> Result<Engine, SandboxError> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    adjust(&mut config);
    Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_features(WasmFeatures::all().difference(ALLOWED), false)
        .wasm_features(ALLOWED, true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .memory_init_cow(true)
        .signals_based_traps(true)
        // The same bytes on any host: one NaN, and one result of each relaxed instruction.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}

fn pool(slots: usize) -> PoolingAllocationConfig {
    let slots = u32::try_from(slots).unwrap_or(u32::MAX);
    let memory_bytes = usize::try_from(GuestLimits::CEILING.memory_bytes).unwrap_or(usize::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(MAX_CORE_INSTANCES))
        .total_memories(slots.saturating_mul(MAX_MEMORIES))
        .total_tables(slots.saturating_mul(MAX_TABLES))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_memories_per_module(MAX_MEMORIES)
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(memory_bytes)
        // Otherwise every version that is ever loaded warms places of its own, each with as much resident memory, until
        // all are: a host would grow with each file that is dropped in.
        .max_unused_warm_slots(slots)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        // Only pages that a guest wrote to are cleared for the next one, where the kernel can tell.
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(MAX_TABLE_ELEMENTS * size_of::<usize>());
    pool
}
