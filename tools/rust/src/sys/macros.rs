//! What declares structs of the ABI, and tells tests what was declared.

/// Structs of the ABI, in C's layout.
macro_rules! structs {
    ($(struct $name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct $name { $(pub $field: $type,)* }
        )*

        /// Name, size and fields (name, type, offset) of every struct.
        #[cfg(test)]
        #[allow(clippy::type_complexity)]
        pub fn structs() -> Vec<(&'static str, usize, Vec<(&'static str, &'static str, usize)>)> {
            vec![$({
                let space = std::mem::MaybeUninit::<$name>::uninit();
                let base = space.as_ptr();
                let fields = vec![$((
                    stringify!($field),
                    stringify!($type),
                    // SAFETY: an address within `space`; nothing is read.
                    unsafe { std::ptr::addr_of!((*base).$field) as usize } - base as usize,
                )),*];
                (stringify!($name), std::mem::size_of::<$name>(), fields)
            }),*]
        }
    };
}
