//! How calls fail: [`Error`], its [`Status`], and [`Result`].

use std::ffi::CStr;
use std::fmt;
use std::io;
use std::os::raw::c_char;
use std::sync::Arc;

use crate::sys;

/// What a call answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed. Each is one action for the caller.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The call is wrong: correct it.
    InvalidArgument,
    /// No such label, index or file.
    NotFound,
    /// A limit (disk, map, node ids) is reached: free space or raise it.
    Full,
    /// Somebody else holds it (a process, a rebuild), or the call would have to wait for the one
    /// that its closure belongs to: try later.
    Busy,
    /// The system refused a read or a write; memory is unchanged.
    IoError,
    /// Stored bytes are not what was written: restore or salvage.
    Corruption,
    /// Written by another release: open with that one, or convert.
    FormatVersion,
    /// Opened for reading: reopen for writing.
    ReadOnly,
    /// The store was closed: reopen it.
    Closed,
    /// The progress closure asked to stop.
    Cancelled,
    /// No memory; nothing changed: free some.
    OutOfMemory,
    /// A fault of the library's: report it.
    Internal,
}

impl Status {
    pub(crate) fn from_c(code: sys::vicinal_status) -> Status {
        match code {
            sys::VICINAL_INVALID_ARGUMENT => Status::InvalidArgument,
            sys::VICINAL_NOT_FOUND => Status::NotFound,
            sys::VICINAL_FULL => Status::Full,
            sys::VICINAL_BUSY => Status::Busy,
            sys::VICINAL_IO_ERROR => Status::IoError,
            sys::VICINAL_CORRUPTION => Status::Corruption,
            sys::VICINAL_FORMAT_VERSION => Status::FormatVersion,
            sys::VICINAL_READ_ONLY => Status::ReadOnly,
            sys::VICINAL_CLOSED => Status::Closed,
            sys::VICINAL_CANCELLED => Status::Cancelled,
            sys::VICINAL_OUT_OF_MEMORY => Status::OutOfMemory,
            _ => Status::Internal,
        }
    }

    /// The code of the C ABI.
    pub fn code(self) -> i32 {
        match self {
            Status::InvalidArgument => sys::VICINAL_INVALID_ARGUMENT,
            Status::NotFound => sys::VICINAL_NOT_FOUND,
            Status::Full => sys::VICINAL_FULL,
            Status::Busy => sys::VICINAL_BUSY,
            Status::IoError => sys::VICINAL_IO_ERROR,
            Status::Corruption => sys::VICINAL_CORRUPTION,
            Status::FormatVersion => sys::VICINAL_FORMAT_VERSION,
            Status::ReadOnly => sys::VICINAL_READ_ONLY,
            Status::Closed => sys::VICINAL_CLOSED,
            Status::Cancelled => sys::VICINAL_CANCELLED,
            Status::OutOfMemory => sys::VICINAL_OUT_OF_MEMORY,
            Status::Internal => sys::VICINAL_INTERNAL,
        }
    }
}

/// "invalid_argument", "not_found", ...
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: any value is allowed; the answer is a text that stays.
        formatter.write_str(&unsafe { text(sys::vicinal_status_name(self.code())) })
    }
}

/// A failed call: a code for the program, and words with the numbers for people.
///
/// When a reader or writer of the caller's failed, [`source`](std::error::Error::source) is its
/// [`std::io::Error`]. Two errors are equal when status and message are.
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    message: String,
    of_stream: Option<Arc<io::Error>>,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Error {
        Error { status, message: message.into(), of_stream: None }
    }

    /// `who` ("the writer") failed with `error`.
    pub(crate) fn of_stream(who: &str, error: io::Error) -> Error {
        let message = format!("{who} failed: {error}");
        Error { status: Status::IoError, message, of_stream: Some(Arc::new(error)) }
    }

    /// What kind of failure it is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What happened, with the numbers ("dimension 383, index has 384").
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.status, self.message)
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        (self.status, &self.message) == (other.status, &other.message)
    }
}

impl Eq for Error {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.of_stream.as_deref().map(|error| error as _)
    }
}

/// The text at `pointer`; bytes that are not UTF-8 are replaced.
///
/// # Safety
/// `pointer` is NULL (which gives "") or NUL-terminated.
pub(crate) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    CStr::from_ptr(pointer).to_string_lossy().into_owned()
}

/// What a function of the ABI answered on this thread just now.
pub(crate) fn check(code: sys::vicinal_status) -> Result<()> {
    if code == sys::VICINAL_OK {
        return Ok(());
    }
    // SAFETY: never NULL, and unchanged until this thread's next failure.
    Err(Error::new(Status::from_c(code), unsafe { text(sys::vicinal_last_message()) }))
}

/// A struct of the ABI as `init` makes it.
pub(crate) fn initialized<T>(
    init: unsafe extern "C" fn(*mut T, usize) -> sys::vicinal_status,
) -> T {
    let mut made = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: `init` writes as many bytes as it is told that there are, all of them; zeros are a
    // value of every struct of the ABI.
    unsafe {
        let code = init(made.as_mut_ptr(), std::mem::size_of::<T>());
        assert_eq!(code, sys::VICINAL_OK, "libvicinal refuses its own struct: {:?}", check(code));
        made.assume_init()
    }
}
