// Package fault holds the kinds of failure a caller can act on. Each carries what a
// company may read (key and message) apart from what it may not (the cause).
// Specification, chapter 12. An error that is no fault is an internal one.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what went wrong in words the caller can act on. The zero value is Internal,
// so that nothing is blamed on a caller by mistake.
type Kind int

// The kinds. server/gateway turns each into a status and a cause, in one table.
const (
	Internal           Kind = iota // something broke here
	Invalid                        // a value is not what the specification allows
	UnknownField                   // a field that nobody knows
	Unparseable                    // not JSON, or not an object
	MissingNumber                  // no transaction number
	BadCredentials                 // no, a wrong or an expired key or token
	Foreign                        // a valid token on another company's path
	NotFound                       // no such thing, or nothing to hand out yet
	Finished                       // the identification is finished: no change is possible
	Precondition                   // something that must come first is missing
	Forbidden                      // the account does not have this feature
	TooLarge                       // the body is over the limit
	MethodNotAllowed               // the route exists, the method does not
	UnsupportedContent             // a Content-Type that is not JSON
	TooMany                        // a rate limit; RetryAfter says how long
	Unavailable                    // stopping, or a part that is needed is down
)

// Error is one failure. Key and Message may be shown to the company; the wrapped cause
// may not, and is only for the log.
type Error struct {
	Kind       Kind
	Key        string        // the field it is about; empty: none
	Message    string        // English, shown to the company; empty: none
	RetryAfter time.Duration // only for TooMany
	cause      error
}

// New returns a fault of that kind. The message is shown to the company: no personal
// data, no internals.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Of returns a fault without a message, as the specification prints most of them.
func Of(kind Kind) *Error { return &Error{Kind: kind} }

// Value is the fault for an ill-formed value of a field, worded as chapter 12 prints it.
func Value(field string) *Error {
	return &Error{Kind: Invalid, Key: field, Message: fmt.Sprintf("Please provide a correct value for '%s'", field)}
}

// In returns a copy that names the field the fault is about.
func (e *Error) In(key string) *Error {
	c := *e
	c.Key = key
	return &c
}

// Because returns a copy that wraps the cause, which is for the log only.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Key != "" {
		b.WriteString(" in ")
		b.WriteString(e.Key)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

// Unwrap gives errors.Is and errors.As the cause.
func (e *Error) Unwrap() error { return e.cause }

// List is several faults of one request, in the order they were found.
type List []*Error

func (l List) Error() string {
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives errors.Is and errors.As each fault.
func (l List) Unwrap() []error {
	all := make([]error, len(l))
	for i, e := range l {
		all[i] = e
	}
	return all
}

// Err returns the list as an error, or nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// All returns every fault in err, in order. An error that is none becomes one Internal
// fault with err as its cause; nil gives none.
func All(err error) List {
	if err == nil {
		return nil
	}
	if l, ok := errors.AsType[List](err); ok {
		return l
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return List{e}
	}
	return List{Of(Internal).Because(err)}
}

// Is says whether err is, or holds, a fault of that kind.
func Is(err error, kind Kind) bool {
	for _, e := range All(err) {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

var names = [...]string{
	"internal", "invalid", "unknown field", "unparseable", "missing transaction number", "bad credentials",
	"foreign", "not found", "finished", "precondition", "forbidden", "too large", "method not allowed",
	"unsupported content", "too many", "unavailable",
}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("fault.Kind(%d)", int(k))
	}
	return names[k]
}
