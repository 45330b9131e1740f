"""What the server says over HTTP: one module per resource.

Today that is `health`; the 2010-04-01 REST API comes next. Webhooks that the server itself sends are
`townhall.webhooks`, the conference application's own pages are `townhall.app`.
"""
