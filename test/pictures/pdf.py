#!/usr/bin/env python3
"""Makes a small contract: pdf.py OUT [field] [turned]

field: with an empty signature field named Customer. turned: the page is stored upright and shown
turned by 90 degrees, as scanners do."""
import sys

out, how = sys.argv[1], sys.argv[2:]
turned = 'turned' in how
wide, high = (842, 595) if turned else (595, 420)  # as displayed


def text(x, y, size, words, font='F1'):
    return f'BT /{font} {size} Tf {x} {y} Td ({words}) Tj ET'


top = high - 70
lines = [
    '0.12 0.16 0.22 rg', text(60, top, 20, 'Account agreement', 'F2'),
    text(60, top - 34, 10.5, 'between IhreBank AG and the customer who is named in the signature.'),
    text(60, top - 64, 10.5, '1.  The bank keeps an account for the customer, and tells about it every month.'),
    text(60, top - 82, 10.5, '2.  Either side may end this agreement at the end of any month.'),
    text(60, top - 100, 10.5, '3.  There is nothing else to it: this is a sample.'),
    '0.6 w 0.5 0.55 0.6 RG', f'60 {high - 300} m 330 {high - 300} l S',
    text(60, high - 314, 9, 'Signature of the customer'),
]
drawing = '\n'.join(lines)
page = '/MediaBox [0 0 595 420]'
if turned:
    # The displayed page's axes in the stored one: right is up, up is left.
    drawing = 'q 0 1 -1 0 595 0 cm\n' + drawing + '\nQ'
    page = '/MediaBox [0 0 595 842] /Rotate 90'
objects = [
    '<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    f'<< /Type /Page /Parent 2 0 R {page} /Contents 4 0 R /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>',
    f'<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>',
]
if 'field' in how:
    objects[0] = '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R] >> >>'
    objects[2] = objects[2].replace('/Contents', '/Annots [7 0 R] /Contents')
    objects.append(f'<< /Type /Annot /Subtype /Widget /FT /Sig /T (Customer) /F 4 /P 3 0 R /Rect [60 {high - 297} 310 {high - 262}] >>')

body = b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'
at = []
for n, o in enumerate(objects, 1):
    at.append(len(body))
    body += f'{n} 0 obj\n{o}\nendobj\n'.encode('latin-1')
xref = len(body)
body += f'xref\n0 {len(at) + 1}\n0000000000 65535 f \n'.encode()
body += b''.join(b'%010d 00000 n \n' % a for a in at)
body += f'trailer\n<< /Size {len(at) + 1} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n'.encode()
with open(out, 'wb') as f:
    f.write(body)
