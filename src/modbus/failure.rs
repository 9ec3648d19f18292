//! Why a request did not end in values: a closed set of words, and the error that carries them.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio_modbus::{Error, ExceptionCode, ProtocolError};

macro_rules! failures {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Why a request failed; the label `kind` of `request_failures_total`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Failure {
            $($(#[$doc])+ $name,)+
        }

        impl Failure {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word used as a label value.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

failures! {
    /// Exception 01: the device does not know the function.
    IllegalFunction = "illegal_function",
    /// Exception 02: the device has no such address.
    IllegalDataAddress = "illegal_data_address",
    /// Exception 03: the device does not take the value.
    IllegalDataValue = "illegal_data_value",
    /// Exception 04: the device failed while it carried out the request.
    DeviceFailure = "device_failure",
    /// Exception 05: accepted, and still being carried out.
    Acknowledge = "acknowledge",
    /// Exception 06: the device is busy and did not carry out the request.
    DeviceBusy = "device_busy",
    /// Exception 08: the device found its memory damaged.
    MemoryParity = "memory_parity",
    /// Exception 0A: a gateway has no path to the unit.
    GatewayPath = "gateway_path",
    /// Exception 0B: the unit behind a gateway does not answer.
    GatewayTarget = "gateway_target",
    /// Any other exception.
    OtherException = "other_exception",
    /// Nobody listens at the address.
    ConnectRefused = "connect_refused",
    /// No connection within the time that connecting may take.
    ConnectTimeout = "connect_timeout",
    /// There is no way to the address.
    ConnectUnreachable = "connect_unreachable",
    /// Connecting failed in another way: a name that does not resolve, a port that cannot be opened.
    ConnectFailed = "connect_failed",
    /// An attempt to connect failed lately; the next one is yet to come.
    BackingOff = "backing_off",
    /// No reply in time.
    RequestTimeout = "request_timeout",
    /// The device closed the connection instead of answering.
    Closed = "closed",
    /// Writing or reading failed.
    Io = "io",
    /// The reply to another request.
    StaleReply = "stale_reply",
    /// The reply of another unit.
    UnitMismatch = "unit_mismatch",
    /// A reply with another function code.
    FunctionMismatch = "function_mismatch",
    /// A reply with another number of values, or that confirms something else than was written.
    ReplyMismatch = "reply_mismatch",
    /// Bytes that are no Modbus: a wrong checksum, a header or a content that cannot be.
    FrameError = "frame_error",
    /// The request is against the protocol and was not sent.
    InvalidRequest = "invalid_request",
    /// No connection of the pool came free in time.
    PoolTimeout = "pool_timeout",
    /// Nobody waited for the end.
    Cancelled = "cancelled",
}

impl Failure {
    /// What an error of any call says, those of a context that is only [wrapped](super::DeviceBuilder::wrap) included.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Transport(error) => error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<DeviceError>())
                .map_or(Self::Io, |error| error.failure),
            Error::Protocol(ProtocolError::HeaderMismatch { .. }) => Self::StaleReply,
            Error::Protocol(ProtocolError::FunctionCodeMismatch { .. }) => Self::FunctionMismatch,
        }
    }

    /// What an exception says.
    pub fn of_exception(code: ExceptionCode) -> Self {
        match u8::from(code) {
            1 => Self::IllegalFunction,
            2 => Self::IllegalDataAddress,
            3 => Self::IllegalDataValue,
            4 => Self::DeviceFailure,
            5 => Self::Acknowledge,
            6 => Self::DeviceBusy,
            8 => Self::MemoryParity,
            10 => Self::GatewayPath,
            11 => Self::GatewayTarget,
            _ => Self::OtherException,
        }
    }

    /// Whether the device, or a gateway before it, answered by an exception: whoever answers is alive.
    pub fn is_exception(self) -> bool {
        (self as usize) <= Self::OtherException as usize
    }

    /// Whether the connection was found closed or broken.
    pub(super) fn is_loss(self) -> bool {
        matches!(self, Self::Closed | Self::Io)
    }

    /// Whether the unit was asked and no answer came that could be used.
    pub(super) fn is_silence(self) -> bool {
        matches!(
            self,
            Self::RequestTimeout
                | Self::StaleReply
                | Self::UnitMismatch
                | Self::FunctionMismatch
                | Self::ReplyMismatch
                | Self::FrameError
        )
    }

    /// The nearest word that the standard library has for it.
    fn error_kind(self) -> io::ErrorKind {
        match self {
            Self::ConnectTimeout | Self::RequestTimeout | Self::PoolTimeout => {
                io::ErrorKind::TimedOut
            }
            Self::Closed => io::ErrorKind::UnexpectedEof,
            Self::BackingOff => io::ErrorKind::NotConnected,
            Self::InvalidRequest => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the I/O error of a failed call has inside: which device, and why.
#[derive(Debug)]
pub struct DeviceError {
    device: Arc<str>,
    at: Arc<str>,
    failure: Failure,
    text: String,
}

impl DeviceError {
    /// The name of the device.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Why the call failed.
    pub fn failure(&self) -> Failure {
        self.failure
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            device, at, text, ..
        } = self;
        let space = if at.is_empty() { "" } else { " " };
        write!(f, "modbus device {device}{space}{at}: {text}")
    }
}

impl std::error::Error for DeviceError {}

/// A failure on its way to the caller.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) failure: Failure,
    kind: io::ErrorKind,
    pub(super) text: String,
}

impl Fault {
    pub(super) fn new(failure: Failure, text: impl Into<String>) -> Self {
        Self {
            failure,
            kind: failure.error_kind(),
            text: text.into(),
        }
    }

    /// A failure that the system reports.
    pub(super) fn io(failure: Failure, what: &str, cause: &io::Error) -> Self {
        Self {
            failure,
            kind: cause.kind(),
            text: format!("{what}: {cause}"),
        }
    }

    /// The error of a call to `device`; `at` says where that is.
    pub(super) fn into_error(self, device: &Arc<str>, at: &Arc<str>) -> Error {
        let inner = DeviceError {
            device: device.clone(),
            at: at.clone(),
            failure: self.failure,
            text: self.text,
        };
        Error::Transport(io::Error::new(self.kind, inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_label_values_and_exceptions_come_first() {
        for failure in Failure::ALL {
            let word = failure.as_str();
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
        let exceptions = Failure::ALL.iter().filter(|failure| failure.is_exception());
        assert_eq!(exceptions.count(), 10);
        for code in 0..=255 {
            let failure = Failure::of_exception(ExceptionCode::new(code));
            assert!(failure.is_exception(), "{code}");
        }
    }

    #[test]
    fn an_error_keeps_its_failure() {
        let fault = Fault::new(Failure::RequestTimeout, "no reply");
        let error = fault.into_error(&"press-3".into(), &"at 192.0.2.7:502".into());
        assert_eq!(Failure::of(&error), Failure::RequestTimeout);
        let text = "modbus device press-3 at 192.0.2.7:502: no reply";
        assert_eq!(error.to_string(), text);
        let nowhere = Fault::new(Failure::Io, "x").into_error(&"press-3".into(), &"".into());
        assert_eq!(nowhere.to_string(), "modbus device press-3: x");
        let plain = Error::Transport(io::ErrorKind::BrokenPipe.into());
        assert_eq!(Failure::of(&plain), Failure::Io);
    }
}
