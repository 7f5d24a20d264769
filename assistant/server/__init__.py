"""Answering other programs: MCP, a JSON API and a web page, all over one service."""
