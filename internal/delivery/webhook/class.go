package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

var (
	errRefused = errors.New("address is not public")
	errRequest = errors.New("request is unusable")
	errProxy   = errors.New("proxy refused to connect")
)

// class puts an error of a try into one of the classes, and so drops its text, which may
// name hosts and quote the receiver. ctx is the caller's: only it can tell a caller who gave
// up from a try that took too long.
func class(ctx context.Context, err error) string {
	var name *net.DNSError
	var timed net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Canceled
	case errors.Is(err, errRefused):
		return Refused
	case errors.Is(err, errRequest):
		return BadRequest
	case errors.Is(err, errProxy):
		return BadProxy
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.As(err, &name):
		return NoName
	case errors.As(err, &timed) && timed.Timeout():
		return Timeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return NotAccepted
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return NoRoute
	case isTLS(err):
		return BadTLS
	case isLost(err):
		return Lost
	}
	return BadAnswer
}

func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.Is(err, http.ErrSchemeMismatch) ||
		// Refused versions and alerts of the other side have no exported type.
		strings.Contains(err.Error(), "tls: ")
}

func isLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		// net/http's own words for a kept connection that the server closed have no exported value.
		strings.Contains(err.Error(), "server closed idle connection")
}
